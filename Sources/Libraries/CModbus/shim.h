#pragma once
#include <modbus.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

/* The wait in parts of a millisecond that a serial line needs; the Glibc module leaves it out. */
int ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *signals);
