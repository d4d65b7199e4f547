/* A program that embeds CPython: it runs the script that its arguments name, as `python` would (Py_BytesMain, 3.8+). */
extern int Py_BytesMain(int argc, char **argv);

int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
