// The stores that live inside a program, on the data set of peer_data.h, points in the order in which they arrive.
//   peer_local checksum
//   peer_local sqlite FILE      a table by (time, series), then one by (series, time)
//   peer_local rrd DIRECTORY    one ring per series, 60 values an update
// cc -O2 -o peer_local peer_local.c -lsqlite3 -lrrd -lm
#include <rrd.h>
#include <sqlite3.h>
#include <unistd.h>

#include "peer_data.h"
#include "peer_measure.h"

enum { QUERIES = 20 };

static void run(sqlite3 *db, const char *sql) {
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why)) fail(sql, why);
}

/// One transaction a step. Returns CPU-seconds for a million points.
static double sqlite_fill(sqlite3 *db, const char *table, const int32_t *value, int steps) {
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO %s(series, time, value) VALUES (?, ?, ?)", table);
    sqlite3_stmt *insert;
    if (sqlite3_prepare_v2(db, sql, -1, &insert, NULL)) fail(sql, sqlite3_errmsg(db));
    double cpu = cpu_seconds();
    for (int step = 0; step < steps; step++) {
        run(db, "BEGIN");
        for (int series = 0; series < SERIES; series++) {
            sqlite3_bind_int(insert, 1, series);
            sqlite3_bind_int64(insert, 2, peer_time(step, series, 0) / 1000);
            sqlite3_bind_double(insert, 3, value[step * SERIES + series] / 10.0);
            if (sqlite3_step(insert) != SQLITE_DONE) fail(sql, sqlite3_errmsg(db));
            sqlite3_reset(insert);
        }
        run(db, "COMMIT");
        progress(table, step + 1, steps);
    }
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_finalize(insert);
    return (cpu_seconds() - cpu) / steps / SERIES * 1e6;
}

/// Milliseconds of a query, each time for another series; `rows` is what one must give.
static double sqlite_ask(sqlite3 *db, const char *sql, int rows) {
    sqlite3_stmt *query;
    if (sqlite3_prepare_v2(db, sql, -1, &query, NULL)) fail(sql, sqlite3_errmsg(db));
    double times[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
        double begin = wall_seconds();
        int got = 0;
        sqlite3_bind_int(query, 1, i * 47 % SERIES);
        while (sqlite3_step(query) == SQLITE_ROW) {
            (void)sqlite3_column_double(query, 1);
            got++;
        }
        sqlite3_reset(query);
        times[i] = (wall_seconds() - begin) * 1e3;
        if (got != rows) fail(sql, "a wrong number of rows");
    }
    sqlite3_finalize(query);
    return median(times, QUERIES);
}

static void sqlite_bench(const char *path) {
    int32_t *value = peer_data();
    double memory = peak_bytes(), written = written_bytes();
    sqlite3 *db;
    if (sqlite3_open(path, &db)) fail(path, sqlite3_errmsg(db));
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2000");
    run(db, "CREATE TABLE by_time(time INT, series INT, value REAL, PRIMARY KEY(time, series)) WITHOUT ROWID");
    result("cpu_s_per_million", sqlite_fill(db, "by_time", value, STEPS));
    result("written_bytes_per_point", (written_bytes() - written) / STEPS / SERIES);
    result("bytes_per_point", file_bytes(path) / STEPS / SERIES);
    result("memory_bytes", peak_bytes() - memory);
    // What answers by series quickly, filled as points arrive: dear, so only for some of the steps.
    enum { SOME = 300 };
    run(db, "CREATE TABLE by_series(series INT, time INT, value REAL, PRIMARY KEY(series, time)) WITHOUT ROWID");
    written = written_bytes();
    result("by_series_cpu_s_per_million", sqlite_fill(db, "by_series", value, SOME));
    result("by_series_written_bytes_per_point", (written_bytes() - written) / SOME / SERIES);
    // For the queries the same table whole and in its best order, which no arrival gives.
    run(db, "DROP TABLE by_series");
    run(db, "CREATE TABLE by_series(series INT, time INT, value REAL, PRIMARY KEY(series, time)) WITHOUT ROWID");
    run(db, "INSERT INTO by_series SELECT series, time, value FROM by_time ORDER BY series, time");
    result("query_24h_raw_ms", sqlite_ask(db,
        "SELECT time, value FROM by_series WHERE series = ? AND time >= 1715007200 AND time < 1715093600", 8640));
    result("query_28h_hourly_ms", sqlite_ask(db,
        "SELECT (time - 1715000000) / 3600, avg(value), min(value), max(value) FROM by_series WHERE series = ? GROUP BY 1",
        28));
    sqlite3_close(db);
    free(value);
}

static char rrd_file[SERIES][512];

static double rrd_ask(time_t begin, time_t end, unsigned long step, const char *const *functions, int count) {
    double times[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
        double started = wall_seconds();
        for (int f = 0; f < count; f++) {
            time_t from = begin, to = end;
            unsigned long got = step, sources;
            char **names;
            rrd_value_t *values;
            if (rrd_fetch_r(rrd_file[i * 47 % SERIES], functions[f], &from, &to, &got, &sources, &names, &values))
                fail("rrd_fetch", rrd_get_error());
            for (unsigned long s = 0; s < sources; s++) free(names[s]);
            free(names);
            free(values);
        }
        times[i] = (wall_seconds() - started) * 1e3;
    }
    return median(times, QUERIES);
}

static void rrd_bench(const char *directory) {
    enum { BATCH = 60 };
    static const char *layout[] = {
        "DS:v:GAUGE:30:U:U", "RRA:AVERAGE:0.5:1:10080", "RRA:AVERAGE:0.5:360:28", "RRA:MIN:0.5:360:28",
        "RRA:MAX:0.5:360:28"};
    static char text[BATCH][48];
    static const char *updates[BATCH];
    int32_t *value = peer_data();
    double memory = peak_bytes(), cpu = cpu_seconds(), start = START_MS / 1000;
    for (int series = 0; series < SERIES; series++) {
        snprintf(rrd_file[series], sizeof rrd_file[series], "%s/%04d.rrd", directory, series);
        if (rrd_create_r(rrd_file[series], 10, (time_t)start - 10, 5, layout)) fail("rrd_create", rrd_get_error());
    }
    for (int i = 0; i < BATCH; i++) updates[i] = text[i];
    for (int step = 0; step < STEPS; step += BATCH) {
        for (int series = 0; series < SERIES; series++) {
            for (int i = 0; i < BATCH; i++) {
                int32_t v = value[(step + i) * SERIES + series];
                snprintf(text[i], sizeof text[i], "%lld:%d.%d",
                    (long long)(peer_time(step + i, series, 0) / 1000), v / 10, v % 10);
            }
            if (rrd_update_r(rrd_file[series], NULL, BATCH, updates)) fail("rrd_update", rrd_get_error());
        }
        progress("rings", step + BATCH, STEPS);
    }
    result("cpu_s_per_million", (cpu_seconds() - cpu) / STEPS / SERIES * 1e6);
    result("bytes_per_point", file_bytes(rrd_file[0]) / STEPS);
    result("memory_bytes", peak_bytes() - memory);
    static const char *average[] = {"AVERAGE"}, *three[] = {"AVERAGE", "MIN", "MAX"};
    time_t end = (time_t)start + STEPS * 10;
    result("query_24h_raw_ms", rrd_ask(end - 86400, end - 10, 10, average, 1));
    result("query_28h_hourly_ms", rrd_ask((time_t)start, end - 10, 3600, three, 3));
    free(value);
}

int main(int count, char **argument) {
    if (count == 2 && !strcmp(argument[1], "checksum")) {
        int32_t *value = peer_data();
        printf("%08x\n", peer_data_checksum(value));
    } else if (count == 3 && !strcmp(argument[1], "sqlite")) {
        sqlite_bench(argument[2]);
    } else if (count == 3 && !strcmp(argument[1], "rrd")) {
        rrd_bench(argument[2]);
    } else {
        fail("usage", "peer_local checksum | sqlite FILE | rrd DIRECTORY");
    }
    return 0;
}
