#include "CProfiles.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed

struct profile {
    const char *name;
    const unsigned char *text;
};

// A NUL behind each, which no text holds.
#define FILE(name) {#name, (const unsigned char[]){
#define END , 0}},

// Every file of Sources/Field/Devices/Profiles. A test compares list and folder.
static const struct profile profiles[] = {
#include "Modbus.inc"
#include "MQTT.inc"
};

unsigned long cprofiles_count(void) { return sizeof profiles / sizeof profiles[0]; }

const char *cprofiles_name(unsigned long index) { return profiles[index].name; }

const unsigned char *cprofiles_text(unsigned long index, unsigned long *length) {
    *length = strlen((const char *)profiles[index].text);
    return profiles[index].text;
}
