// The stores that are servers, on the data set of peer_data.h, over HTTP on the loopback.
//   peer_server load URL JITTER                 line protocol, 5,000 points a request; prints the client's own CPU
//   peer_server ask URL…                        milliseconds of a GET, the median of all URLs, each asked twice
// cc -O2 -o peer_server peer_server.c -lcurl -lm
#include <curl/curl.h>

#include "peer_data.h"
#include "peer_measure.h"

enum { BATCH = 5000 };

static size_t received;

static size_t count_bytes(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes, (void)context;
    received += size * count;
    return size * count;
}

static void perform(CURL *curl, const char *url) {
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    if (code) fail(url, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2) {
        char text[32];
        snprintf(text, sizeof text, "status %ld", status);
        fail(url, text);
    }
}

static void load(const char *url, int jitter) {
    int32_t *value = peer_data();
    static char body[BATCH * 64];
    double cpu = cpu_seconds();
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    int points = 0;
    size_t length = 0;
    for (int step = 0; step < STEPS; step++) {
        for (int series = 0; series < SERIES; series++) {
            int32_t v = value[step * SERIES + series];
            length += (size_t)snprintf(body + length, sizeof body - length, "m,s=%d v=%d.%d %lld\n", series, v / 10,
                v % 10, (long long)peer_time(step, series, jitter));
            if (++points < BATCH && (step < STEPS - 1 || series < SERIES - 1)) continue;
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)length);
            perform(curl, url);
            points = 0;
            length = 0;
        }
        progress(jitter ? "points beside the grid" : "points on the grid", step + 1, STEPS);
    }
    curl_easy_cleanup(curl);
    result("client_cpu_s_per_million", (cpu_seconds() - cpu) / STEPS / SERIES * 1e6);
    free(value);
}

static void ask(int count, char **urls) {
    static double times[256];
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    if (count > 256) count = 256;
    for (int i = 0; i < count; i++) {
        curl_easy_setopt(curl, CURLOPT_URL, urls[i]);
        // Once for what the first look at a series costs, then the one that counts.
        perform(curl, urls[i]);
        received = 0;
        double begin = wall_seconds();
        perform(curl, urls[i]);
        times[i] = (wall_seconds() - begin) * 1e3;
    }
    curl_easy_cleanup(curl);
    result("milliseconds", median(times, count));
    result("answer_bytes", (double)received);
}

int main(int count, char **argument) {
    if (count == 4 && !strcmp(argument[1], "load")) load(argument[2], atoi(argument[3]));
    else if (count > 2 && !strcmp(argument[1], "ask")) ask(count - 2, argument + 2);
    else fail("usage", "peer_server load URL JITTER | ask URL…");
    return 0;
}
