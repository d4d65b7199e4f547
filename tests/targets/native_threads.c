/* A thread in which no Python runs, and which uses a CPU for as long as it is told. */
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

static double seconds;

static double used(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *burn(void *unused) {
  (void)unused;
  prctl(PR_SET_NAME, "burns-in-c");
  while (used() < seconds) {
  }
  return 0;
}

int start(double cpu_seconds) {
  pthread_t thread;
  seconds = cpu_seconds;
  return pthread_create(&thread, 0, burn, 0);
}
