/* page_list.h — saved web pages: files, directories of them, and an index that knows their addresses and headers. */
#ifndef GALENA_CMD_PAGE_LIST_H
#define GALENA_CMD_PAGE_LIST_H

#include "base/settings.h"
#include "text/tech.h"

struct page_entry {
    str path; /* to open it; ends in NUL */
    str file; /* as it is named to others: in the index, or below the directory that was given */
    str id;   /* of the index; empty else */
    str url;
    const struct tech_field *header, *dns;
    size_t n_header, n_dns;
};

struct page_list {
    struct page_entry *page;
    size_t n, cap;
};

enum { PAGE_LIST_MAX = 10000000 };

/* The pages of `names` (files; of directories what ends in .html, .htm or .xhtml, packed with gzip or not, in the order of
 * the names, eight levels deep) with what the index tells of them. Without names: the pages of the index. The index has one
 * JSON object a line: file (from the folder of the index), and if known id, url, headers (name → value or values), dns.
 * `shared`: headers of all pages without their own. ERR_INPUT "pages_none", "pages_index"; the errors of file_open. */
err page_list_read(struct arena *a, const struct setting_list *names, const char *index, const struct page_entry *shared,
                   struct page_list *out) MUST_CHECK;

/* The headers of a file: "Name: value" lines as in an answer of HTTP, or a JSON object. */
err page_headers_read(struct arena *a, const char *path, struct page_entry *out) MUST_CHECK;

#endif
