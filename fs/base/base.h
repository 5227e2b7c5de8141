/*
 * base: words without a domain.
 *
 * Two rooms must need a word before it comes here, and its comment must not
 * need the words file, hash, reference or mount. Do not add anything else.
 *
 * Conventions of the whole tree: a function that can fail returns 0 or a
 * negative errno; `ret` is last and written on success only. `new` = the
 * caller owns it, `borrowed` = somebody else does, `steals` = ownership moves.
 * Strings are NUL-terminated bytes in whatever encoding they came in.
 */
#ifndef HF_BASE_H
#define HF_BASE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HF_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define HF_MUST_USE __attribute__((warn_unused_result))
#define HF_PRINTF(nth, first) __attribute__((format(printf, nth, first)))
/* Calls `fn(&variable)` when the variable goes out of scope. */
#define HF_CLEANUP(fn) __attribute__((cleanup(fn)))

/* Cleanup functions for HF_CLEANUP: free(), close() if >= 0. errno survives. */
void hf_freep(void *pointer_to_pointer);
void hf_closep(int *fd);

/* Takes the descriptor out of a HF_CLEANUP(hf_closep) variable. */
static inline int hf_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* --- fd.c --------------------------------------------------------------- */

/* Writes all of it to a descriptor, whatever signals come. Errnos of
 * write(2). */
int hf_write_all(int fd, const char *data, size_t len) HF_MUST_USE;

/* --- buf.c: a growing run of bytes -------------------------------------- */

/*
 * Always NUL-terminated once anything was added; `len` does not count that
 * NUL. Out of memory is remembered (`failed`) and later additions do nothing,
 * so a writer may add many times and ask once. Start with {0}.
 */
struct hf_buf {
	char *data;
	size_t len;
	size_t cap;
	bool failed;
};

void hf_buf_add(struct hf_buf *buf, const void *data, size_t len);
void hf_buf_puts(struct hf_buf *buf, const char *text);
void hf_buf_putc(struct hf_buf *buf, char c);
void hf_buf_printf(struct hf_buf *buf, const char *format, ...) HF_PRINTF(2, 3);
void hf_buf_vprintf(struct hf_buf *buf, const char *format, va_list args);
/* Keeps the first `len` of its bytes: not more than there are. */
void hf_buf_cut(struct hf_buf *buf, size_t len);
/* Keeps the memory, forgets the content and a remembered failure. */
void hf_buf_reset(struct hf_buf *buf);
/* 0, or -ENOMEM when any addition since the start failed. */
int hf_buf_status(const struct hf_buf *buf) HF_MUST_USE;
/*
 * Moves the bytes out: *ret is new, NUL-terminated, never NULL (an empty
 * buffer gives ""). The buffer is empty afterwards, also on -ENOMEM.
 */
int hf_buf_steal(struct hf_buf *buf, char **ret) HF_MUST_USE;
/* Gives back what memory there is for more; the bytes may move. */
void hf_buf_trim(struct hf_buf *buf);
/* Frees the memory; the buffer is {0} again. */
void hf_buf_fini(struct hf_buf *buf);

/* --- text.c: characters, escapes, lists --------------------------------- */

/*
 * Decodes one character of strict UTF-8 (no overlong forms, no surrogates,
 * nothing above U+10FFFF) from `text`. Returns its length in bytes, 1 to 4,
 * or 0 if len is 0 or the bytes there are not UTF-8.
 */
size_t hf_utf8_decode(const char *text, size_t len, uint32_t *ret);

/*
 * Appends `text` so that it is one word on one line, whatever it holds:
 * backslash \\, newline \n, tab \t, carriage return \r; other control
 * characters (C0, DEL, C1) and bytes that are not UTF-8 as \xHH a byte. The
 * rest stays as it is.
 */
void hf_escape(struct hf_buf *buf, const char *text, size_t len);
/* The value of a hexadecimal digit in either case, or -1. */
int hf_hex_value(char c);
/* hf_escape of a string, new; NULL if memory is out. For messages. */
char *hf_escaped(const char *text);
/*
 * The inverse of hf_escape: appends the bytes meant. -EINVAL for an escape
 * that hf_escape does not write.
 */
int hf_unescape(struct hf_buf *buf, const char *text, size_t len) HF_MUST_USE;

/*
 * Makes *why a new sentence for the user (NULL if memory is out) and returns
 * `error`, so that a failing function can end with it.
 */
int hf_why(int error, char **why, const char *format, ...) HF_PRINTF(3, 4);

/* A list of strings; every string and the array are owned by the list. */
struct hf_strings {
	char **items;
	size_t n;
};

/* Appends a copy of text[0, len). -ENOMEM. */
int hf_strings_add(struct hf_strings *list, const char *text,
		   size_t len) HF_MUST_USE;
void hf_strings_fini(struct hf_strings *list);
/*
 * Splits at every `separator` that no backslash stands before, and appends
 * the parts *with their backslashes*, so that parts can be split again at
 * another character; hf_unbackslash makes the final text. Empty text gives no
 * part; empty parts are kept.
 */
int hf_split(struct hf_strings *list, const char *text,
	     char separator) HF_MUST_USE;
/* Removes one level of backslashes in place: "\:" -> ":", "\\" -> "\". */
void hf_unbackslash(char *text);

/* --- glob.c: patterns --------------------------------------------------- */

/*
 * Python's fnmatch.fnmatchcase(text, glob): * (any run, "/" included), ?,
 * [seq], [!seq]; no escapes. Works on characters where both are UTF-8; a byte
 * that is not counts as one character. An unclosed [ is literal. Time is at
 * most len(glob) * len(text).
 */
bool hf_glob_match(const char *glob, const char *text);
/* True if any of the globs matches. */
bool hf_globs_match(const struct hf_strings *globs, const char *text);

/* --- hash.c, map.c, set.c: tables --------------------------------------- */

/* SipHash-2-4 (Aumasson, Bernstein 2012) with a 128-bit key. */
uint64_t hf_siphash(const uint64_t key[2], const void *data, size_t len);
/* Its 128-bit variant: ret[0], ret[1] as the reference implementation's
 * output bytes 0-7 and 8-15, little endian. */
void hf_siphash128(const uint64_t key[2], const void *data, size_t len,
		   uint64_t ret[2]);

/*
 * A table from byte strings to pointers. Not locked: the owner's mutex guards
 * it. Keys are borrowed: they live inside the values, usually, and must not
 * move while the entry stands. The hash is keyed by `seed` (from the caller's
 * random source), so that names cannot be chosen to collide.
 */
struct hf_map;
int hf_map_new(const uint64_t seed[2], struct hf_map **ret) HF_MUST_USE;
/* Makes room for `n` entries, so that it has not to grow for them. -ENOMEM. */
int hf_map_reserve(struct hf_map *map, size_t n) HF_MUST_USE;
/* Frees the table, not the values. NULL is allowed. */
void hf_map_free(struct hf_map *map);
size_t hf_map_len(const struct hf_map *map);
/* The value, or NULL. */
void *hf_map_get(const struct hf_map *map, const void *key, size_t len);
/* -EEXIST if the key is there (nothing changes), -ENOMEM. value != NULL. */
int hf_map_put(struct hf_map *map, const void *key, size_t len,
	       void *value) HF_MUST_USE;
/* Takes the entry out and returns its value, or NULL. Memory shrinks too. */
void *hf_map_remove(struct hf_map *map, const void *key, size_t len);
/*
 * Walks the values in no particular order: start with *cursor = 0, call until
 * NULL. The table must not change in between.
 */
void *hf_map_next(const struct hf_map *map, size_t *cursor);

/*
 * A table of things that carry their keys, for many of them: it costs some
 * twelve bytes a thing. Not locked. All keys of a set have one length, and
 * begin with eight bytes that are a hash which nobody can choose, or a number
 * that counts up. They must not change while the thing is in the set.
 */
struct hf_set;
typedef const void *hf_set_key(const void *thing);
/* `key_of` gives the key of a thing, key_len bytes, at least 8. */
int hf_set_new(hf_set_key *key_of, size_t key_len,
	       struct hf_set **ret) HF_MUST_USE;
/* The rest as hf_map. */
void hf_set_free(struct hf_set *set);
size_t hf_set_len(const struct hf_set *set);
void *hf_set_get(const struct hf_set *set, const void *key);
int hf_set_put(struct hf_set *set, void *thing) HF_MUST_USE;
void *hf_set_remove(struct hf_set *set, const void *key);
void *hf_set_next(const struct hf_set *set, size_t *cursor);

/* --- wait.c: waiting that can be interrupted ---------------------------- */

/*
 * One asker's place to sleep. The asker blocks; whoever finishes its work
 * wakes it; whoever wants the asker back interrupts it, for good. Wakes are
 * counted, so none is lost. All functions may be called from any thread while
 * the asker keeps the struct alive.
 */
struct hf_wait {
	sem_t sem;
	atomic_bool interrupted;
	/* The asker does by itself what nobody has begun yet, and may hang in
	 * it: nobody needs its thread. Constant once anything is asked for. */
	bool works;
	/* Called before the asker sleeps; NULL: nobody minds. Constant, too. */
	void (*sleeps)(void *arg);
	void *sleeps_arg;
};
void hf_wait_init(struct hf_wait *wait);
void hf_wait_fini(struct hf_wait *wait);
void hf_wait_wake(struct hf_wait *wait);
void hf_wait_interrupt(struct hf_wait *wait);
bool hf_wait_interrupted(const struct hf_wait *wait);
/* Sleeps until woken (0) or interrupted (-EINTR, from then on always). */
int hf_wait_block(struct hf_wait *wait) HF_MUST_USE;
/* As hf_wait_block, but gives up after `ms` milliseconds: -ETIMEDOUT. */
int hf_wait_block_for(struct hf_wait *wait, unsigned ms) HF_MUST_USE;

/* --- thread.c ----------------------------------------------------------- */

/* Starts a thread that takes no signals: they are for those who expect them.
 * `stack`: its bytes, 0 for as many as usual. Negative errno. */
int hf_thread_start(pthread_t *ret, size_t stack, void *(*run)(void *arg),
		    void *arg) HF_MUST_USE;
/* A lock that is held for less than it takes to fall asleep, and taken often:
 * who finds it taken tries again for a moment. */
void hf_lock_init(pthread_mutex_t *lock);
/* pthread_cond_wait(3), but no longer than until at_ns (hf_clock_monotonic):
 * false once that has come. */
bool hf_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
			int64_t at_ns);

/* --- pool.c: threads that work ------------------------------------------ */

/*
 * Runs jobs on `n_threads` threads, first in, first out. A job must not wait
 * for another job. When jobs are waiting and none has finished or made
 * progress for a while (HF_POOL_STALL_MS: all threads hang in system calls),
 * the threads are doubled, up to n_max; the surplus ends when it found nothing
 * to do for as long. When it has worked, and then had nothing to do for a
 * second, the heap gives free memory back to the system.
 */
#define HF_POOL_STALL_MS 200
struct hf_pool;
int hf_pool_new(unsigned n_threads, unsigned n_max,
		struct hf_pool **ret) HF_MUST_USE;
/* Never blocks on a job. -ENOMEM. `arg` is handed to `run` in the pool. */
int hf_pool_submit(struct hf_pool *pool, void (*run)(void *arg),
		   void *arg) HF_MUST_USE;
/* A long job says that it makes progress. */
void hf_pool_tick(struct hf_pool *pool);
/* Somebody has given back much memory: the heap gives it back to the system as
 * if the pool had worked. NULL is allowed. */
void hf_pool_freed(struct hf_pool *pool);
/* So many jobs wait for a thread, at this moment. */
unsigned hf_pool_waiting(struct hf_pool *pool);
/* n_threads. */
unsigned hf_pool_threads(const struct hf_pool *pool);
/* Runs what was submitted to its end, ends the threads. NULL is allowed. */
void hf_pool_free(struct hf_pool *pool);

/* --- share.c ------------------------------------------------------------ */

/*
 * Calls `run` for every i below n and returns when all is done: some of it in
 * the calling thread (which may be one of the pool), some in threads of the
 * pool. It waits for what these have begun, and for nothing that stands in the
 * queue: all works without them, too.
 */
void hf_pool_share(struct hf_pool *pool, size_t n,
		   void (*run)(void *arg, size_t i), void *arg);

/* --- heap.c: what the system should know about memory -------------------- */

/* A block of malloc, of this length, that will be filled from end to end: if it
 * is a very large one, the system shall give it in large pages, for there is a
 * price for each page. */
void hf_heap_expect(void *block, size_t len);

/* Gives back to the system what nobody uses, as far as that is possible; takes
 * a while. */
void hf_heap_give_back(void);
/* From now on there is little of that which hf_heap_give_back does not reach.
 * For who lives long: blocks of more than 2 MiB take longer. Call before
 * threads start. */
void hf_heap_keep_short(void);

/* --- log.c -------------------------------------------------------------- */

enum hf_log_level {
	HF_LOG_ERROR,
	HF_LOG_WARNING,
	HF_LOG_INFO,
	HF_LOG_DEBUG,
};

/*
 * One line for the person who runs the program. The text must already be
 * escaped (hf_escaped for names). Goes to standard error as "PROGRAM: text"
 * until hf_log_to_syslog, then to syslog(3). Levels above the threshold
 * (default HF_LOG_WARNING) are dropped. Any thread.
 */
void hf_log(enum hf_log_level level, const char *format, ...) HF_PRINTF(2, 3);
/* `program` is borrowed for ever. Call before threads start. */
void hf_log_init(const char *program, enum hf_log_level threshold);
void hf_log_to_syslog(void);

/* --- clock.c, monotonic.c ----------------------------------------------- */

/* Nanoseconds since 1970 (CLOCK_REALTIME). Passed down as a parameter where
 * a rule depends on it, so that tests can turn time by hand. */
typedef int64_t hf_clock(void);
int64_t hf_clock_realtime(void);
/* Nanoseconds since some moment (CLOCK_MONOTONIC): for how long, not when. */
int64_t hf_clock_monotonic(void);
/* Fills `seed` from the kernel's random source; ends the program if there is
 * none. */
void hf_random_seed(uint64_t seed[2]);

#endif
