/*
 * marks: bytes that are not UTF-8, in JSON. Python writes them as lone
 * surrogates (\udc80 to \udcff), which jansson refuses; so a text is spelt with
 * marks before jansson reads it, and the strings that come out of that back.
 */
#ifndef HF_MANIFEST_MARKS_H
#define HF_MANIFEST_MARKS_H

#include "fs/base/base.h"

/* Appends a JSON text with marks. */
void hf_marks_set(const char *text, size_t len, struct hf_buf *ret);
/* Appends the bytes that a string of such a text stands for. */
void hf_marks_take(const char *text, struct hf_buf *ret);

#endif
