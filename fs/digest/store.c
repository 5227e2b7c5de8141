/*
 * store: rows on disk, by SQLite, the only file that knows it. Nothing in it
 * is worth an error: what goes wrong is a miss, told once.
 *
 * The journal is a file that is truncated: a write-ahead log has an index
 * that is mapped into memory, and who truncates that ends us by SIGBUS.
 * Nothing is synchronised: after a power failure the database may be damaged,
 * and a damaged one is made anew.
 */
#include "fs/digest/remembered.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "hashedfs.db"
#define APPLICATION_ID 0x68666462 /* "hfdb" */
#define VERSION 1
#define HEADER_LEN 100
#define BUSY_MS 250
/* How long nothing is tried after something of ours went wrong. */
#define PAUSE_NS INT64_C(10000000000)
/* The one that is damaged again and again is given up. */
#define MAX_MENDS 3
/* Rows that go at once when there are too many. */
#define TRIM_ROWS "64"

#define TEXT_OF(number) #number
#define NUMBER(number) TEXT_OF(number)

static const char settings[] = "PRAGMA cell_size_check=ON;"
			       "PRAGMA journal_mode=TRUNCATE;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA secure_delete=OFF;"
			       "PRAGMA synchronous=OFF;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA trusted_schema=OFF;";

/* `used` is the day when a row was last of use. */
static const char schema[] = "PRAGMA application_id=" NUMBER(
	APPLICATION_ID) ";"
			"PRAGMA user_version=" NUMBER(
				VERSION) ";"
					 "CREATE TABLE secret(bytes BLOB NOT "
					 "NULL);"
					 "CREATE TABLE shelf(id INTEGER "
					 "PRIMARY KEY,"
					 " used INTEGER NOT NULL, row BLOB NOT "
					 "NULL);"
					 "CREATE INDEX shelf_used ON "
					 "shelf(used);";

enum statement {
	GET,
	PUT,
	DROP,
	TRIM,
	N_STATEMENTS,
};

static const char *const texts[] = {
	[GET] = "SELECT row FROM shelf WHERE id=?1",
	[PUT] = "REPLACE INTO shelf(id,used,row) VALUES(?1,?2,?3)",
	[DROP] = "DELETE FROM shelf WHERE id=?1",
	[TRIM] = "DELETE FROM shelf WHERE id IN"
		 " (SELECT id FROM shelf ORDER BY used LIMIT " TRIM_ROWS ")",
};

struct hf_store {
	char *path;
	char *shown; /* the same for messages */
	uint64_t max_bytes;
	hf_clock *clock;
	uint64_t secret[2];
	bool read_only;
	atomic_bool warned;
	/*
	 * The connection's, which serves one thread at a time: held during its
	 * calls, which end within BUSY_MS unless the disk hangs. The following
	 * fields are protected by it.
	 */
	pthread_mutex_t lock;
	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
	bool off;     /* for good */
	bool damaged; /* until it is mended */
	unsigned mends;
	int64_t paused_ns;    /* since when, 0: it is not */
	uint64_t fresh_bytes; /* put since the last look at the length */
};

/* --- what went wrong --------------------------------------------------------- */

static void warn(struct hf_store *store, const char *what)
{
	enum hf_log_level level = atomic_exchange(&store->warned, true)
					  ? HF_LOG_DEBUG
					  : HF_LOG_WARNING;

	hf_log(level, "the cache %s %s", store->shown, what);
}

static bool is_passing(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		return true;
	default:
		return false;
	}
}

/* Call with the lock held. Always -EAGAIN. */
static int fail(struct hf_store *store, int code)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf what = {0};

	if (code == SQLITE_READONLY_DBMOVED) {
		store->off = true;
		warn(store, "was taken away; nothing more is remembered in it");
	} else if (is_passing(code)) {
		store->paused_ns = store->clock();
		hf_buf_printf(&what, "cannot be used for now: %s",
			      sqlite3_errstr(code));
		warn(store, what.len ? what.data : "cannot be used for now");
	} else {
		store->damaged = true;
		store->off = store->mends >= MAX_MENDS;
		warn(store, store->off ? "is damaged again and again"
				       : "is damaged and is made anew");
	}
	return -EAGAIN;
}

/* Call with the lock held. */
static bool is_paused(struct hf_store *store)
{
	int64_t since = store->clock() - store->paused_ns;

	/* A clock that was set back must not make it longer. */
	if (store->paused_ns && (since < 0 || since > PAUSE_NS))
		store->paused_ns = 0;
	return store->off || store->paused_ns;
}

void hf_store_spoilt(struct hf_store *store)
{
	warn(store, "has a damaged row, which is passed over");
}

/* --- opening ------------------------------------------------------------------ */

/* Runs a statement of one number. */
static int ask_number(sqlite3 *db, const char *text, int64_t *ret)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*ret = sqlite3_column_int64(statement, 0);
		code = SQLITE_OK;
	} else if (code == SQLITE_DONE) {
		code = SQLITE_CORRUPT;
	}
	sqlite3_finalize(statement);
	return code;
}

static int read_secret(struct hf_store *store)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(store->db, "SELECT bytes FROM secret", -1,
				      &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	if (code == SQLITE_DONE ||
	    (code == SQLITE_ROW &&
	     sqlite3_column_bytes(statement, 0) != (int)sizeof(store->secret)))
		code = SQLITE_CORRUPT;
	if (code == SQLITE_ROW) {
		memcpy(store->secret, sqlite3_column_blob(statement, 0),
		       sizeof(store->secret));
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return code;
}

static int write_secret(struct hf_store *store)
{
	sqlite3_stmt *statement;
	int code =
		sqlite3_prepare_v2(store->db, "INSERT INTO secret VALUES(?1)",
				   -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_blob(statement, 1, store->secret, sizeof(store->secret),
			  SQLITE_STATIC);
	code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int run(struct hf_store *store, const char *text)
{
	return sqlite3_exec(store->db, text, NULL, NULL, NULL);
}

/* Ends a transaction that failed. */
static void roll_back(struct hf_store *store)
{
	if (store->db && !sqlite3_get_autocommit(store->db))
		(void)run(store, "ROLLBACK");
}

/* In an empty database; two may come at once, and the second finds it made. */
static int create(struct hf_store *store)
{
	int64_t version = 0;
	int code = run(store, "BEGIN IMMEDIATE");

	if (code == SQLITE_OK)
		code = ask_number(store->db, "PRAGMA user_version", &version);
	if (code == SQLITE_OK && version == 0) {
		code = run(store, schema);
		if (code == SQLITE_OK)
			code = write_secret(store);
	}
	if (code == SQLITE_OK)
		code = run(store, "COMMIT");
	roll_back(store);
	return code;
}

static void finalize(struct hf_store *store)
{
	for (size_t i = 0; i < N_STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
}

static int prepare(struct hf_store *store)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < N_STATEMENTS && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v3(store->db, texts[i], -1,
					  SQLITE_PREPARE_PERSISTENT,
					  &store->statements[i], NULL);
	return code;
}

/* Empties the database in its place: others may have it open. */
static int mend(struct hf_store *store)
{
	int code;

	store->mends++;
	finalize(store);
	roll_back(store);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
	/* A damaged schema may have kept them from being set. */
	code = run(store, settings);
	if (code == SQLITE_OK)
		code = run(store, "VACUUM");
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
	if (code == SQLITE_OK)
		code = create(store);
	if (code == SQLITE_OK)
		code = prepare(store);
	return code;
}

enum header {
	HEADER_EMPTY,
	HEADER_OURS,
	HEADER_DAMAGED,
	HEADER_FOREIGN,
	HEADER_NEWER,
	HEADER_OLDER,
};

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* Whose file is it? Looked at as bytes: SQLite would begin to repair what is
 * not ours. (The offsets: "The SQLite Database File Format", 1.3.) */
static enum header judge(const unsigned char header[HEADER_LEN])
{
	static const unsigned char zero[HEADER_LEN];
	bool magic = memcmp(header, "SQLite format 3", 16) == 0;
	bool ours = big_endian(header + 68) == APPLICATION_ID;
	uint32_t version = big_endian(header + 60);

	if (!magic)
		return ours || memcmp(header, zero, HEADER_LEN) == 0
			       ? HEADER_DAMAGED
			       : HEADER_FOREIGN;
	if (!ours)
		return HEADER_FOREIGN;
	return version > VERSION   ? HEADER_NEWER
	       : version < VERSION ? HEADER_OLDER
				   : HEADER_OURS;
}

/* Through SQLite's own descriptor: closing another one would drop the locks
 * of every connection that this process has. */
static int read_header(sqlite3 *db, enum header *ret)
{
	unsigned char header[HEADER_LEN];
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
					&file);

	if (code == SQLITE_OK && (!file || !file->pMethods))
		code = SQLITE_CANTOPEN;
	if (code == SQLITE_OK)
		code = file->pMethods->xFileSize(file, &size);
	if (code == SQLITE_OK && size == 0) {
		*ret = HEADER_EMPTY;
		return SQLITE_OK;
	}
	if (code == SQLITE_OK)
		code = file->pMethods->xRead(file, header, HEADER_LEN, 0);
	/* What is missing of a shorter file was read as zeros. */
	if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
		return code;
	*ret = judge(header);
	return SQLITE_OK;
}

/* SQLite would let others read the secret. */
static void create_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

static int limit(struct hf_store *store)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int64_t page = 0;
	int code = ask_number(store->db, "PRAGMA page_size", &page);

	if (code != SQLITE_OK || page <= 0)
		return code;
	/* Room for what comes in before something goes. */
	hf_buf_printf(&text, "PRAGMA max_page_count=%jd",
		      (intmax_t)(store->max_bytes / 2 * 3 / page + 16));
	return hf_buf_status(&text) < 0 ? SQLITE_NOMEM : run(store, text.data);
}

static int use(struct hf_store *store, enum header header)
{
	int code = run(store, settings);

	if (code == SQLITE_OK && header == HEADER_EMPTY)
		code = create(store);
	if (code == SQLITE_OK)
		code = limit(store);
	if (code == SQLITE_OK)
		code = read_secret(store);
	if (code == SQLITE_OK)
		code = prepare(store);
	return code;
}

/* A new secret: the old one is gone with the rest. */
static int make_anew(struct hf_store *store)
{
	int code;

	hf_random_seed(store->secret);
	code = mend(store);
	return code == SQLITE_OK ? limit(store) : code;
}

static int refuse(struct hf_store *store, char **why, const char *reason)
{
	return hf_why(-EACCES, why, "%s %s", store->shown, reason);
}

static int refuse_code(struct hf_store *store, char **why, int code)
{
	return hf_why(-EACCES, why, "%s: %s", store->shown,
		      sqlite3_errstr(code));
}

static int connect(struct hf_store *store, char **why)
{
	enum header header = HEADER_FOREIGN;
	int code;

	create_file(store->path);
	code = sqlite3_open_v2(store->path, &store->db,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				       SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_NOFOLLOW,
			       NULL);
	if (code == SQLITE_OK) {
		sqlite3_extended_result_codes(store->db, 1);
		sqlite3_busy_timeout(store->db, BUSY_MS);
		store->read_only = sqlite3_db_readonly(store->db, "main") == 1;
		code = read_header(store->db, &header);
	}
	if (code != SQLITE_OK)
		return refuse_code(store, why, code);
	if (header == HEADER_FOREIGN)
		return refuse(store, why, "is not a cache of hashedfs");
	if (header == HEADER_NEWER)
		return refuse(store, why, "belongs to a newer hashedfs");
	code = SQLITE_CORRUPT;
	if (header == HEADER_OURS || header == HEADER_EMPTY)
		code = use(store, header);
	if (code != SQLITE_OK && !is_passing(code) && !store->read_only) {
		if (header != HEADER_OLDER)
			warn(store, "is damaged and is made anew");
		code = make_anew(store);
	}
	return code == SQLITE_OK ? 0 : refuse_code(store, why, code);
}

int hf_store_open(const char *dir, uint64_t max_bytes, hf_clock *clock,
		  struct hf_store **ret, char **why)
{
	struct hf_store *store = calloc(1, sizeof(*store));
	struct hf_buf path = {0};
	int error;

	if (!store)
		return hf_why(-ENOMEM, why, "no memory");
	pthread_mutex_init(&store->lock, NULL);
	store->max_bytes = max_bytes;
	store->clock = clock;
	hf_random_seed(store->secret);
	hf_buf_printf(&path, "%s/" FILE_NAME, dir);
	error = hf_buf_steal(&path, &store->path);
	if (error == 0)
		store->shown = hf_escaped(store->path);
	if (error < 0 || !store->shown)
		error = hf_why(-ENOMEM, why, "no memory");
	else
		error = connect(store, why);
	if (error == 0 && store->read_only)
		warn(store, "is read-only; nothing new is remembered in it");
	if (error < 0)
		hf_store_close(store);
	else
		*ret = store;
	return error;
}

void hf_store_close(struct hf_store *store)
{
	if (!store)
		return;
	finalize(store);
	roll_back(store);
	sqlite3_close(store->db);
	pthread_mutex_destroy(&store->lock);
	free(store->shown);
	free(store->path);
	free(store);
}

bool hf_store_read_only(const struct hf_store *store)
{
	return store->read_only;
}

const uint64_t *hf_store_secret(const struct hf_store *store)
{
	return store->secret;
}

/* --- rows --------------------------------------------------------------------- */

int hf_store_compare(const uint64_t a[2], const uint64_t b[2])
{
	int64_t x = (int64_t)a[0];
	int64_t y = (int64_t)b[0];

	return (x > y) - (x < y);
}

/* Call with the lock held. Ends a statement that ran; `code` is its result. */
static int finish(struct hf_store *store, sqlite3_stmt *statement, int code)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE ? 0 : fail(store, code);
}

/* Call with the lock held. */
static int get(struct hf_store *store, const uint64_t key[2],
	       struct hf_buf *ret)
{
	sqlite3_stmt *statement = store->statements[GET];
	int code;

	sqlite3_bind_int64(statement, 1, (int64_t)key[0]);
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return finish(store, statement, code);
	hf_buf_reset(ret);
	hf_buf_add(ret, sqlite3_column_blob(statement, 0),
		   (size_t)sqlite3_column_bytes(statement, 0));
	(void)finish(store, statement, SQLITE_DONE);
	return hf_buf_status(ret) < 0 ? -EAGAIN : 1;
}

int hf_store_get(struct hf_store *store, const uint64_t key[2],
		 struct hf_buf *ret)
{
	int found = -EAGAIN;

	pthread_mutex_lock(&store->lock);
	if (!store->damaged && !is_paused(store))
		found = get(store, key, ret);
	pthread_mutex_unlock(&store->lock);
	return found;
}

void hf_store_get_some(struct hf_store *store, uint64_t (*keys)[2], size_t n,
		       struct hf_buf *rows, int *found)
{
	bool begun;

	pthread_mutex_lock(&store->lock);
	/* Else another thread's transaction is under way, and good enough. */
	begun = !store->damaged && !is_paused(store) &&
		sqlite3_get_autocommit(store->db) &&
		run(store, "BEGIN") == SQLITE_OK;
	for (size_t i = 0; i < n; i++)
		found[i] = store->damaged || is_paused(store)
				   ? -EAGAIN
				   : get(store, keys[i], &rows[i]);
	if (begun)
		roll_back(store);
	pthread_mutex_unlock(&store->lock);
}

/* Call with the lock held. */
static int begin(struct hf_store *store)
{
	int code = SQLITE_OK;

	if (store->damaged) {
		code = mend(store);
		store->damaged = code != SQLITE_OK;
	}
	if (code == SQLITE_OK)
		code = run(store, "BEGIN IMMEDIATE");
	return code == SQLITE_OK ? 0 : fail(store, code);
}

int hf_store_begin(struct hf_store *store)
{
	int error = -EAGAIN;

	pthread_mutex_lock(&store->lock);
	if (!is_paused(store))
		error = begin(store);
	pthread_mutex_unlock(&store->lock);
	return error;
}

/* So much comes in before something has to go, and goes then. */
static uint64_t share(const struct hf_store *store)
{
	return store->max_bytes / 8;
}

/* Call with the lock held. How many bytes are in use. */
static int measure(struct hf_store *store, uint64_t *ret)
{
	int64_t pages = 0;
	int64_t unused = 0;
	int64_t page = 0;
	int code = ask_number(store->db, "PRAGMA page_count", &pages);

	if (code == SQLITE_OK)
		code = ask_number(store->db, "PRAGMA freelist_count", &unused);
	if (code == SQLITE_OK)
		code = ask_number(store->db, "PRAGMA page_size", &page);
	*ret = (uint64_t)((pages - unused) * page);
	return code;
}

/* Call with the lock held. The oldest go until an eighth is free. */
static int trim(struct hf_store *store)
{
	uint64_t used = 0;
	int code = measure(store, &used);

	store->fresh_bytes = 0;
	if (code != SQLITE_OK || used <= store->max_bytes)
		return code;
	while (code == SQLITE_OK && used > store->max_bytes - share(store)) {
		uint64_t before = used;
		sqlite3_stmt *statement = store->statements[TRIM];

		code = sqlite3_step(statement);
		sqlite3_reset(statement);
		if (code == SQLITE_DONE)
			code = measure(store, &used);
		if (used >= before) /* nothing left to go */
			break;
	}
	return code;
}

/* Call with the lock held. */
static int put(struct hf_store *store, const uint64_t key[2], uint32_t day,
	       const struct hf_buf *row)
{
	sqlite3_stmt *statement = store->statements[row ? PUT : DROP];
	int code;

	sqlite3_bind_int64(statement, 1, (int64_t)key[0]);
	if (row) {
		sqlite3_bind_int64(statement, 2, day);
		sqlite3_bind_blob64(statement, 3, row->data, row->len,
				    SQLITE_STATIC);
		store->fresh_bytes += row->len;
	}
	code = finish(store, statement, sqlite3_step(statement));
	if (code < 0 || store->fresh_bytes <= share(store))
		return code;
	code = trim(store);
	return code == SQLITE_OK ? 0 : fail(store, code);
}

int hf_store_put(struct hf_store *store, const uint64_t key[2], uint32_t day,
		 const struct hf_buf *row)
{
	int error = -EAGAIN;

	/* Everything else would have to go for it. */
	if (row && row->len > share(store))
		row = NULL;
	pthread_mutex_lock(&store->lock);
	/* A reader may have found damage meanwhile. */
	if (!store->damaged && !sqlite3_get_autocommit(store->db))
		error = put(store, key, day, row);
	pthread_mutex_unlock(&store->lock);
	return error;
}

int hf_store_commit(struct hf_store *store)
{
	int error = -EAGAIN;
	int code;

	pthread_mutex_lock(&store->lock);
	if (!store->damaged && !sqlite3_get_autocommit(store->db)) {
		code = trim(store);
		if (code == SQLITE_OK)
			code = run(store, "COMMIT");
		error = code == SQLITE_OK ? 0 : fail(store, code);
	}
	roll_back(store);
	pthread_mutex_unlock(&store->lock);
	return error;
}

void hf_store_cancel(struct hf_store *store)
{
	pthread_mutex_lock(&store->lock);
	roll_back(store);
	pthread_mutex_unlock(&store->lock);
}

const char *hf_sqlite_version(void)
{
	return sqlite3_libversion();
}
