/*
 * control: .hashedfs/, where a mount explains itself. Files are rendered when
 * they are opened, as in /proc; the frontend only hands the text on.
 */
#ifndef HF_CONTROL_H
#define HF_CONTROL_H

#include "fs/base/base.h"
#include "fs/view/view.h"

#define HF_CONTROL_DIR HF_RESERVED_NAME

/*
 * map: one file a line, fields between TABs, hf_escape'd:
 *   path  name  kind  name-digest  content-digest  size  problem
 * with "-" for a digest that does not exist and for no problem, and a problem
 * as "!sentence" if the file cannot be read, else as the sentence. The last
 * line is
 *   #end  COUNT  GENERATION
 * A map without that line, or with another count, is incomplete.
 * map.sha256, map.sha384, map.sha512: the same with one more field, the value
 * of HTML's integrity attribute for what is read under the name, or "-".
 */
#define HF_MAP_END "#end"

/*
 * findings: one finding a line, fields as above:
 *   path  line  column  kind  url  sentence
 * with 0 for a line and column that there are not, and the same last line.
 * problems: the same for people, "path:line:column: sentence".
 * references: one a line, "path  target", and the same last line.
 */

struct hf_control;
/* `view` and `config` are borrowed. `landlock` (borrowed) is what `status` says
 * about how this process is confined. */
int hf_control_new(struct hf_view *view, const struct hf_config *config,
		   const char *landlock, struct hf_control **ret) HF_MUST_USE;
void hf_control_free(struct hf_control *control);

/* The file names, by index; NULL behind the last. */
const char *hf_control_name(size_t i);
/* Renders file number `i` into `ret`. `wait` as everywhere. For sync it is the
 * frontend that first waits until all is seen. -EAGAIN: too many are looking
 * at the whole tree already. */
int hf_control_render(struct hf_control *control, size_t i,
		      struct hf_wait *wait, struct hf_buf *ret) HF_MUST_USE;

/* --- rows.c: texts for programs ------------------------------------------- */

/* Appends a snapshot as the text of `map`, or if `integrity` is not NULL, of
 * the map that tells the integrity by that algorithm, as the snapshot does. */
void hf_control_map(const struct hf_snapshot *snapshot,
		    const struct hf_algorithm *integrity, struct hf_buf *ret);
/* Appends findings as the text of `findings`. */
void hf_control_findings(const struct hf_findings *findings,
			 struct hf_buf *ret);
/* Appends references as the text of `references`. */
void hf_control_references(const struct hf_references *references,
			   struct hf_buf *ret);

#endif
