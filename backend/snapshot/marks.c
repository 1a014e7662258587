#include "snapshot/marks.h"

#include <errno.h>

enum { RUNS_SMALLEST = 4 };

void marks_deinit(struct marks *marks)
{
    free(marks->runs);
    *marks = MARKS_INIT;
}

/* Tries to make a mark a part of the last run; one mark alone goes on with any step. */
static bool extend_run(struct marks *marks, uint64_t mark)
{
    struct marks_run *run = &marks->runs[marks->n_runs - 1];
    uint32_t length = marks->n - run->first;

    if (length == 1)
        run->step = mark - run->mark;
    return mark == run->mark + run->step * length;
}

int marks_add(struct marks *marks, uint64_t mark)
{
    size_t capacity = marks->capacity ? marks->capacity * 2 : RUNS_SMALLEST;
    struct marks_run *runs;

    if (marks->n_runs && extend_run(marks, mark)) {
        marks->n++;
        return 0;
    }
    if (marks->n_runs == marks->capacity) {
        runs = reallocarray(marks->runs, capacity, sizeof(*runs));
        if (!runs)
            return -ENOMEM;
        marks->runs = runs;
        marks->capacity = capacity;
    }
    marks->runs[marks->n_runs++] = (struct marks_run){.mark = mark, .first = marks->n++};
    return 0;
}

uint64_t marks_get(const struct marks *marks, uint32_t number)
{
    size_t low = 0, high = marks->n_runs; /* the run is at low or between the two */

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (marks->runs[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    return marks->runs[low].mark + marks->runs[low].step * (number - marks->runs[low].first);
}
