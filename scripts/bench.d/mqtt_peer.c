// The other side of `make bench`: what energyd's MQTT intake is compared with, and what feeds both.
//
//   mqtt_peer count PORT QOS COUNT     a subscriber on libmosquitto that only counts
//   mqtt_peer publish PORT QOS COUNT   Tasmota SENSOR messages of 200 plugs, as fast as the broker takes them
//
// `count` ends after COUNT messages and prints its CPU-seconds; `publish` ends when the broker has taken all.
#include <arpa/inet.h>
#include <errno.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLUGS = 200, WINDOW = 1000, BATCH = 200, LONGEST_PACKET = 256 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

// --- the subscriber

static long expected, counted;

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message) {
    (void)client, (void)context, (void)message;
    counted++;
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count, const int *granted) {
    (void)client, (void)context, (void)id, (void)count, (void)granted;
    puts("subscribed");
    fflush(stdout);
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void count_messages(int port, int qos) {
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new("bench-count", true, NULL);
    if (!client) fail("mosquitto_new");
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    if (mosquitto_connect(client, "127.0.0.1", port, 60) || mosquitto_subscribe(client, NULL, "tele/+/SENSOR", qos))
        fail("connect");
    const double start = cpu_seconds();
    while (counted < expected)
        if (mosquitto_loop(client, 1000, 1)) fail("mosquitto_loop");
    printf("cpu %.6f\n", cpu_seconds() - start);
    mosquitto_disconnect(client);
    mosquitto_destroy(client);
}

// --- the publisher: its own packets, so that it costs less than those whom it feeds

static void send_all(int descriptor, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) fail("send");
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void receive_exactly(int descriptor, unsigned char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t got = recv(descriptor, bytes, length, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("recv");
        bytes += got;
        length -= (size_t)got;
    }
}

static int open_session(int port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail("connect");
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // CONNECT, protocol level 4, clean session, no keep-alive, client id `bench-pub`
    static const unsigned char hello[] = {0x10, 21, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 9, 'b', 'e', 'n', 'c',
        'h', '-', 'p', 'u', 'b'};
    send_all(descriptor, hello, sizeof hello);
    unsigned char answer[4];
    receive_exactly(descriptor, answer, sizeof answer);
    if (answer[0] != 0x20 || answer[3] != 0) fail("CONNACK");
    return descriptor;
}

// Power, voltage and current move with each message; the counter rises by its last digit now and then, as a plug's does.
static size_t encode(unsigned char *out, int qos, unsigned id, long number) {
    char topic[32], payload[192];
    const long plug = number % PLUGS, round = number / PLUGS;
    const unsigned noise = ((unsigned)number * 2654435761u) >> 16;
    const int topic_length = sprintf(topic, "tele/plug%03ld/SENSOR", plug);
    const long wh = 1234567 + round / 50;
    const int payload_length = sprintf(payload,
        "{\"Time\":\"2026-05-17T12:%02ld:%02ld\",\"ENERGY\":{\"Total\":%ld.%03ld,\"Power\":%u.%u,\"Voltage\":%u,"
        "\"Current\":1.%03u,\"Factor\":0.9%u}}",
        round / 60 % 60, round % 60, wh / 1000, wh % 1000, 400 + noise % 90, noise % 10, 228 + noise % 5,
        700 + noise % 200, 5 + noise % 5);
    const int rest = 2 + topic_length + (qos ? 2 : 0) + payload_length;
    unsigned char *at = out;
    *at++ = (unsigned char)(0x30 | qos << 1);
    *at++ = (unsigned char)((rest & 0x7F) | 0x80);  // every packet is longer than 127 bytes
    *at++ = (unsigned char)(rest >> 7);
    *at++ = 0;
    *at++ = (unsigned char)topic_length;
    memcpy(at, topic, (size_t)topic_length);
    at += topic_length;
    if (qos) {
        *at++ = (unsigned char)(id >> 8);
        *at++ = (unsigned char)id;
    }
    memcpy(at, payload, (size_t)payload_length);
    return (size_t)(at + payload_length - out);
}

static void publish(int port, int qos) {
    static unsigned char buffer[BATCH * LONGEST_PACKET];
    static unsigned char answers[WINDOW * 4];
    const int descriptor = open_session(port);
    long sent = 0, acknowledged = 0;
    size_t partial = 0;  // bytes of an acknowledgement that came in part
    while (sent < expected || (qos && acknowledged < expected)) {
        size_t length = 0;
        const long room = qos ? WINDOW - (sent - acknowledged) : BATCH;
        for (long i = 0; i < room && i < BATCH && sent < expected; i++, sent++)
            length += encode(buffer + length, qos, (unsigned)(sent % 65535) + 1, sent);
        if (length > 0) send_all(descriptor, buffer, length);
        if (!qos || (sent < expected && sent - acknowledged < WINDOW)) continue;
        const ssize_t got = recv(descriptor, answers, sizeof answers, 0);
        if (got <= 0) fail("recv");
        partial += (size_t)got;
        acknowledged += (long)(partial / 4);
        partial %= 4;
    }
    shutdown(descriptor, SHUT_WR);
    while (recv(descriptor, answers, sizeof answers, 0) > 0) {}
    close(descriptor);
}

int main(int count, char **arguments) {
    if (count != 5) return fprintf(stderr, "usage: mqtt_peer count|publish PORT QOS COUNT\n"), 2;
    const int port = atoi(arguments[2]), qos = atoi(arguments[3]);
    expected = atol(arguments[4]);
    if (strcmp(arguments[1], "count") == 0) count_messages(port, qos);
    else publish(port, qos);
    return 0;
}
