/*
 * reading: what READDIRPLUS brings is of the epoch in which its reader gets to
 * it, which may be after a notification that the answer was sent before. So a
 * reading stands in a list from before its answer until its reader asks again.
 */
#include "fs/fuse/internal.h"

void hf_reading_begin(struct hf_reading *reading, struct hf_reading **first,
		      uint64_t epoch)
{
	reading->epoch = epoch;
	reading->next = *first;
	reading->link = first;
	if (reading->next)
		reading->next->link = &reading->next;
	*first = reading;
}

void hf_reading_end(struct hf_reading *reading)
{
	if (!reading->link)
		return;
	*reading->link = reading->next;
	if (reading->next)
		reading->next->link = reading->link;
	reading->link = NULL;
}

bool hf_readings_overtaken(const struct hf_reading *first, uint64_t epoch)
{
	while (first && first->epoch == epoch)
		first = first->next;
	return first != NULL;
}

void hf_readings_renew(struct hf_reading *first, uint64_t epoch)
{
	for (; first; first = first->next)
		first->epoch = epoch;
}
