// What the harnesses of bench-peers measure with: clocks, what the kernel counts, medians. Results are lines `name value`.
#ifndef PEER_MEASURE_H
#define PEER_MEASURE_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

/// Bytes that this process has had written to the disk.
static double written_bytes(void) {
    FILE *file = fopen("/proc/self/io", "r");
    char name[64];
    long long value, found = 0;
    while (file && fscanf(file, "%63s %lld", name, &value) == 2)
        if (!strcmp(name, "write_bytes:")) found = value;
    if (file) fclose(file);
    return (double)found;
}

/// The most memory that this process has had, in bytes.
static double peak_bytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024.0;
}

static double file_bytes(const char *path) {
    struct stat status;
    return stat(path, &status) ? 0 : (double)status.st_size;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static void result(const char *name, double value) { printf("%s %.6g\n", name, value); }

static void progress(const char *what, long done, long total) {
    static int last = -1;
    int tenth = (int)(done * 10 / total);
    if (tenth == last) return;
    last = tenth;
    fprintf(stderr, "\r   %s: %d %%%s", what, tenth * 10, done >= total ? "\n" : "");
    if (done >= total) last = -1;
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "\nbench-peers: %s: %s\n", what, why ? why : "it failed");
    exit(1);
}
#endif
