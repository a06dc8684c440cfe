// The data set that every store gets: 1,000 series of 10,080 points at 10 s, 28 hours of an imagined street.
//
// Values are in tenths (W for series 0 … 499, Wh for 500 … 999). 0–199 are plugs whose appliance goes on and off, 200–399
// whole houses, 400–499 photovoltaics; series 500 + i is the energy counter of series i, in whole Wh. One seed, one
// generator, so that the same bytes come out everywhere: `peer_data_checksum` says whether they did.
#ifndef PEER_DATA_H
#define PEER_DATA_H
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { SERIES = 1000, METERS = 500, STEPS = 10080, STEP_MS = 10000 };
/// 2024-05-06T12:53:20Z, where the first point lies.
#define START_MS 1715000000000LL

static uint64_t peer_random = 88172645463325252ULL;

static double uniform(void) {
    peer_random ^= peer_random << 13;
    peer_random ^= peer_random >> 7;
    peer_random ^= peer_random << 17;
    return (double)(peer_random >> 11) * (1.0 / 9007199254740992.0);
}

static double normal(void) {
    double radius = sqrt(-2 * log(uniform() + 1e-300));
    return radius * cos(6.283185307 * uniform());
}

struct meter {
    double energy, level, drift, cloud, base, peak;
    double load_watts[6];
    int is_on, load_on[6];
};

static void meter_begin(struct meter *m) {
    m->energy = 1e4 * uniform() * 1000;
    m->drift = 0;
    m->cloud = 1;
    m->is_on = uniform() < .4;
    if (uniform() < .5) m->level = 5 + uniform() * 60;
    else m->level = 100 + uniform() * 2000;
    for (int i = 0; i < 6; i++) {
        m->load_on[i] = 0;
        m->load_watts[i] = 40 + uniform() * 2200;
    }
    m->base = 60 + uniform() * 250;
    m->peak = 600 + uniform() * 9000;
}

static double plug_watts(struct meter *m, int number) {
    if (uniform() < (m->is_on ? 1 / 180.0 : 1 / 400.0)) m->is_on = !m->is_on;
    double watts = m->is_on ? m->level * (1 + 0.003 * normal()) : number % 3 ? 0 : 0.4;
    return watts < 0 ? 0 : watts;
}

static double house_watts(struct meter *m) {
    m->drift = 0.95 * m->drift + 2.5 * normal();
    double watts = m->base + m->drift + 1.2 * normal();
    for (int i = 0; i < 6; i++) {
        if (uniform() < (m->load_on[i] ? 1 / 60.0 : 1 / 500.0)) m->load_on[i] = !m->load_on[i];
        if (m->load_on[i]) watts += m->load_watts[i] * (1 + 0.004 * normal());
    }
    return watts;
}

static double roof_watts(struct meter *m, double hour) {
    double sun = sin((hour - 6) / 12 * M_PI);
    m->cloud = fmin(1, fmax(.15, m->cloud + 0.04 * normal()));
    return sun > 0 ? m->peak * sun * m->cloud * (1 + 0.003 * normal()) : 0;
}

/// `value[step * SERIES + series]`; the caller frees it. Nil where there is no memory.
static int32_t *peer_data(void) {
    int32_t *value = malloc(sizeof(int32_t) * STEPS * SERIES);
    for (int number = 0; value && number < METERS; number++) {
        struct meter m;
        meter_begin(&m);
        for (int step = 0; step < STEPS; step++) {
            double hour = fmod(step / 360.0, 24);
            double watts = number < 200 ? plug_watts(&m, number) : number < 400 ? house_watts(&m) : roof_watts(&m, hour);
            int32_t tenths = (int32_t)lround(watts * 10);
            m.energy += tenths / 10.0 * 10 / 3600;
            value[step * SERIES + number] = tenths;
            value[step * SERIES + METERS + number] = (int32_t)floor(m.energy) * 10;
        }
    }
    return value;
}

/// CRC-32C over the values as little-endian 32-bit integers, step by step.
static uint32_t peer_data_checksum(const int32_t *value) {
    uint32_t crc = ~0u;
    const uint8_t *bytes = (const uint8_t *)value;
    for (size_t i = 0; i < sizeof(int32_t) * STEPS * SERIES; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0x82F63B78u & -(crc & 1));
    }
    return ~crc;
}

/// When a point of a step was taken: on the grid, or up to 20 ms beside it, as a daemon on a busy machine sees it.
static int64_t peer_time(int step, int series, int jitter) {
    int64_t time = START_MS + (int64_t)step * STEP_MS;
    if (!jitter) return time;
    uint64_t mix = (uint64_t)step * SERIES + (uint64_t)series + 1;
    mix = (mix ^ mix >> 30) * 0xBF58476D1CE4E5B9ULL;
    mix = (mix ^ mix >> 27) * 0x94D049BB133111EBULL;
    return time + (int64_t)((mix ^ mix >> 31) % 41) - 20;
}
#endif
