#pragma once
#include <modbus.h>

/* ppoll(2): the wait in parts of a millisecond that a serial line needs. The Glibc module leaves it out, and its types
   stay out of this header, lest they seem to belong to this module. */
int modbus_ppoll(void *descriptors, unsigned long count, const void *timeout, const void *signals) __asm__("ppoll");
