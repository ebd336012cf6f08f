/* leads.h — what the commands that read files of leads share: options, loading with progress, rejects, and the documents
 * they take. */
#ifndef GALENA_CMD_LEADS_H
#define GALENA_CMD_LEADS_H

#include "base/file.h"
#include "cmd/command.h"
#include "intake/table.h"
#include "learn/evaluation.h"
#include "lead/schema.h"
#include "profile/profile.h"

/* How a file of leads is read. */
struct leads_options {
    str file, delimiter, rejects;
    bool latin1;
};

/* The settings that fill a struct leads_options which is the member `leads` of `options`. */
#define LEADS_SETTINGS(options, leads)                                                                                      \
    {.name = "rejects",                                                                                                     \
     .type = SETTING_PATH,                                                                                                  \
     .offset = offsetof(options, leads) + offsetof(struct leads_options, rejects),                                          \
     .help = "where rows that cannot be read go, with line, column and reason"},                                            \
        {.name = "delimiter",                                                                                               \
         .type = SETTING_STRING,                                                                                            \
         .offset = offsetof(options, leads) + offsetof(struct leads_options, delimiter),                                    \
         .arg = "CHAR",                                                                                                     \
         .help = "what separates the cells of a CSV file (tab for a tab); told from the file when left out"},               \
    {                                                                                                                       \
        .name = "latin1", .type = SETTING_FLAG,                                                                             \
        .offset = offsetof(options, leads) + offsetof(struct leads_options, latin1),                                        \
        .help = "the file is ISO 8859-1, not UTF-8"                                                                         \
    }

/* Rows that could not be read. */
struct leads_faults {
    uint64_t rows;
    str first; /* a sentence with line and column; "" when there are none */
};

/* Opens the file. */
err leads_open(struct session *s, const struct leads_options *o, struct table **out) MUST_CHECK;

/* Reads the whole file, with progress; bad rows go to the rejects file if one is named, and are counted and the first few
 * warned about in any case. */
err leads_load(struct session *s, const struct leads_options *o, struct frame **out, struct leads_faults *faults) MUST_CHECK;

/* Adds a warning "rows_rejected" to an evaluation when there were bad rows. */
void leads_add_fault_warning(struct arena *a, const struct leads_faults *faults, struct evaluation *e);

/* A schema or profile file, with its name in every message. */
err leads_load_schema(struct arena *a, const char *path, struct schema **out) MUST_CHECK;
err leads_load_profile(struct arena *a, const char *path, struct profile **out) MUST_CHECK;

/* Refuses ("usage_same_file") two options, of which at least one is written, that name one file; "" and "-" name none. */
err leads_refuse_same(const char *option, str path, const char *other, str other_path) MUST_CHECK;

/* Begins the report, so that a path that cannot be written is told before the work; *out = NULL when `path` is "". */
err leads_open_report(struct session *s, str path, struct file_out **out) MUST_CHECK;

/* Writes an evaluation and commits the file: JSON when its name ends in .json, else a page. to == NULL: does nothing. */
err leads_write_report(struct session *s, str path, struct file_out *to, const struct evaluation *e) MUST_CHECK;

/* "leads.model" of "models/leads.model". */
str leads_base_name(str path);

#endif
