/* The files of a load: opening them, and finding them by the names and globs in other files. */
#pragma once

#include "config/loader.h"

enum {
    CONFIG_YAML_SIZE_MAX = 64 << 20,  /* bytes of one YAML file */
    CONFIG_LIST_SIZE_MAX = 512 << 20, /* bytes of one list file */
    CONFIG_SIZE_MAX = 1 << 30,        /* bytes of all files */
    CONFIG_NAMES_MAX = SOURCES_MAX,   /* names of files, and globs */
};

/* For whom a file is read: YAML files are so once in a load, list files once for each policy. */
enum { FILES_YAML = 0 };
#define FILES_LIST(POLICY) ((POLICY) + 1)

/* Opens and numbers a file that is named at a node of another one (NULL: by the user). Reports why
 * it is not to be read: what is wrong with it, or that READER has read it. Returns 0, REPORTED or
 * -ENOMEM; FILE is to be deinitialized in any case. */
int files_open(struct loader *loader, const char *path, const struct node *named_at,
               uint32_t reader, struct file *file, uint16_t *source);

/* What is done with a file that is named at a node: returns 0, or a negative value to end. */
typedef int (*files_use)(struct loader *loader, const char *path, const struct node *named_at,
                         void *context);

/* Expands the file names and globs of a node, which may be NULL, and hands every file's path to a
 * function until it returns negative. Reports what is wrong with them. Returns 0 or a negative
 * value. */
int files_each(struct loader *loader, const struct node *names, files_use use, void *context);
