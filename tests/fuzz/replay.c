/* Runs a fuzz target over files, with any compiler: replay DIRECTORY… */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether libFuzzer gave the name. It says nothing, and is not to stay. */
static bool is_hash(const char *name)
{
    return strlen(name) == 40 && strspn(name, "0123456789abcdef") == 40;
}

static void run_file(const char *directory, const char *name)
{
    static unsigned char bytes[1 << 20];
    char path[4096];
    size_t n;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (!file) {
        printf("Bail out! cannot open %s\n", path);
        exit(1);
    }
    n = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, n);
}

/* Each input is a test of its own, and passes if it has a name; a finding ends the program. */
int main(int argc, char *argv[])
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        const struct dirent *entry;

        if (!directory) {
            printf("Bail out! cannot read %s\n", argv[i]);
            return 1;
        }
        while ((entry = readdir(directory))) {
            if (entry->d_name[0] == '.')
                continue;
            run_file(argv[i], entry->d_name);
            printf("%sok %d - %s\n", is_hash(entry->d_name) ? "not " : "", ++n, entry->d_name);
        }
        closedir(directory);
    }
    printf("1..%d\n", n);
    return n == 0;
}
