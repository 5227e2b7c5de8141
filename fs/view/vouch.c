/*
 * vouch: a directory is still as it was listed, which is known without a look
 * at the source. All that the listing says is watched, and nothing was reported
 * since it was made: so it is what a look would find. It is relied upon no
 * longer than the kernel relies on what it is lent, since some changes are not
 * reported (hf_watches_dir), and not at all once an opening has shown that
 * there was one.
 */
#include "fs/view/ahead.h"

int64_t hf_grounds_left_ms(const struct hf_grounds *grounds)
{
	int64_t age_ms = (hf_clock_realtime() - grounds->looked_ns) / 1000000;

	/* The clock was set back. */
	if (age_ms < 0 || age_ms > HF_REPORTS_MS)
		return 0;
	return HF_REPORTS_MS - age_ms;
}

/* All before the look: what comes later counts. */
void hf_grounds_take(struct hf_view *view, struct hf_node *dir,
		     struct hf_grounds *ret)
{
	ret->reports = hf_view_reports(view);
	ret->doubts = atomic_load(&view->doubts);
	ret->looked_ns = hf_clock_realtime();
	ret->reported = hf_view_watch_dir(view, dir);
}

void hf_view_doubt(struct hf_view *view)
{
	atomic_fetch_add(&view->doubts, 1);
}

/* Does the listing stand on nothing but what is reported? What was changed
 * shortly before may have been read in the middle of that. */
static bool is_reported(const struct hf_listing *listing)
{
	bool reported = listing->quiet;

	for (size_t i = 0; i < listing->n && reported; i++)
		reported = listing->entries[i].reported;
	return reported;
}

static bool still_holds(struct hf_view *view, const struct hf_grounds *grounds)
{
	return grounds->doubts == atomic_load(&view->doubts) &&
	       hf_grounds_left_ms(grounds) > 0 &&
	       hf_view_heard_all(view, grounds->reports);
}

void hf_view_vouch(struct hf_node *dir, const struct hf_grounds *grounds,
		   const struct hf_listing *listing)
{
	if (grounds->reported && is_reported(listing))
		hf_view_dir_set_grounds(hf_node_dir(dir), listing->generation,
					grounds);
}

int hf_view_list_anew(struct hf_view *view, struct hf_node *dir,
		      struct hf_wait *wait, struct hf_grounds *grounds,
		      struct hf_listing **ret)
{
	int error;

	hf_grounds_take(view, dir, grounds);
	error = hf_view_list(view, dir, wait, ret);
	if (error == 0 && hf_node_dir(dir))
		hf_view_vouch(dir, grounds, *ret);
	return error;
}

struct hf_listing *hf_view_recall(struct hf_view *view, struct hf_node *dir,
				  uint64_t generation)
{
	struct hf_listing *listing = hf_recent_get(&view->recent, dir);

	if (listing && listing->generation == generation)
		return listing;
	hf_listing_unref(listing);
	return NULL;
}

int hf_view_list_again(struct hf_view *view, struct hf_node *dir,
		       struct hf_wait *wait, struct hf_grounds *grounds,
		       uint64_t *generation, struct hf_listing **ret)
{
	bool offer = false;
	int error;

	*generation = 0;
	if (hf_node_dir(dir)) {
		offer = hf_ahead_opens(view->ahead, dir,
				       !hf_view_dir_listed(hf_node_dir(dir)));
		*generation = hf_view_dir_grounds(hf_node_dir(dir), grounds);
	}
	if (*generation && still_holds(view, grounds)) {
		*ret = hf_view_recall(view, dir, *generation);
		return 0;
	}
	error = hf_view_list_anew(view, dir, wait, grounds, ret);
	if (error < 0)
		return error;
	*generation = hf_listing_generation(*ret);
	if (offer)
		hf_ahead_offer(view->ahead, dir, (*ret)->list);
	return 0;
}
