/* usage: load LIBPYTHON… -- ARG…
 * Loads every libpython named, each with its own symbols, and runs the script that the arguments name in the last one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  int first = 1;
  void *library = NULL;
  for (; first < argc && strcmp(argv[first], "--") != 0; ++first) {
    /* Extension modules look for the interpreter among global symbols: those of the one that runs must be there. */
    int last = first + 1 < argc && strcmp(argv[first + 1], "--") == 0;
    library = dlopen(argv[first], RTLD_NOW | RTLD_DEEPBIND | (last ? RTLD_GLOBAL : RTLD_LOCAL));
    if (library == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
  }
  int (*run)(int, char **) = library == NULL ? NULL : (int (*)(int, char **))dlsym(library, "Py_BytesMain");
  if (run == NULL) {
    fprintf(stderr, "usage: load LIBPYTHON... -- ARG...\n");
    return 2;
  }
  argv[first] = argv[0];
  return run(argc - first, argv + first);
}
