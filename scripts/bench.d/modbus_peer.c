/* The bare libmodbus that energyd's bus engine is compared with, in the same run, and the server that both read.
 *
 *   modbus_peer serve PORT                 200 input registers on 127.0.0.1, until it is killed; says "ready"
 *   modbus_peer tcp PORT SECONDS           reads 80 input registers in a loop
 *   modbus_peer rtu DEVICE SECONDS BAUD    the same on a serial line
 *
 * The loops print "rate READS_PER_SECOND" and "cpu_us CPU_PER_READ".  cc -O2 modbus_peer.c -lmodbus */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { registers = 80 };

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    fprintf(stderr, "modbus_peer: %s: %s\n", what, modbus_strerror(errno));
    return 1;
}

static int serve(int port)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, 0, 200);
    if (context == NULL || mapping == NULL) return fail("server");
    for (int i = 0; i < 200; i++) mapping->tab_input_registers[i] = (uint16_t)(i * 257 + 1);
    int listener = modbus_tcp_listen(context, 4);
    if (listener < 0) return fail("listen");
    printf("ready\n");
    fflush(stdout);
    for (;;) { /* one client at a time, as they come */
        if (modbus_tcp_accept(context, &listener) < 0) return fail("accept");
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        for (;;) {
            int length = modbus_receive(context, query);
            if (length < 0 || (length > 0 && modbus_reply(context, query, length, mapping) < 0)) break;
        }
        modbus_close(context);
    }
}

static int loop(modbus_t *context, double seconds)
{
    uint16_t words[registers];
    if (context == NULL) return fail("context");
    modbus_set_slave(context, 1);
    modbus_set_response_timeout(context, 2, 0);
    if (modbus_connect(context) != 0) return fail("connect");
    if (modbus_read_input_registers(context, 0, registers, words) != registers) return fail("read");
    long reads = 0;
    double begin = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), end;
    while ((end = seconds_of(CLOCK_MONOTONIC)) - begin < seconds) {
        if (modbus_read_input_registers(context, 0, registers, words) != registers) return fail("read");
        reads++;
    }
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("rate %f\ncpu_us %f\n", (double)reads / (end - begin), reads > 0 ? cpu / (double)reads * 1e6 : 0.0);
    modbus_close(context);
    modbus_free(context);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "serve") == 0) return serve(atoi(arguments[2]));
    if (count == 4 && strcmp(arguments[1], "tcp") == 0)
        return loop(modbus_new_tcp("127.0.0.1", atoi(arguments[2])), atof(arguments[3]));
    if (count == 5 && strcmp(arguments[1], "rtu") == 0)
        return loop(modbus_new_rtu(arguments[2], atoi(arguments[4]), 'N', 8, 1), atof(arguments[3]));
    fprintf(stderr, "usage: see the first lines of modbus_peer.c\n");
    return 2;
}
