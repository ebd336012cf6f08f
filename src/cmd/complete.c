/* complete.c — completion scripts for bash and zsh, with every command and option spelled out: completing starts no program.
 */
#include "cmd/describe.h"

/* Text between single quotes of a shell. */
static void put_quoted(FILE *to, str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            fputs("'\\''", to);
        else
            fputc(text.ptr[i], to);
    }
}

static bool takes_file(const struct command *c) {
    for (size_t i = 0; i < c->n_argument; i++)
        if (strcmp(c->arguments[i].name, "COMMAND") != 0)
            return true;
    return false;
}

/* ---- bash ---- */

static void bash_words(FILE *to, const struct setting *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        fprintf(to, " --%s", x[i].name);
}

/* One case a setting that takes a value: what may follow it. */
static void bash_values(FILE *to, const struct setting *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (x[i].type == SETTING_FLAG)
            continue;
        fprintf(to, "            --%s", x[i].name);
        if (x[i].letter)
            fprintf(to, "|-%c", x[i].letter);
        fputs(") ", to);
        if (x[i].type == SETTING_PATH) {
            fputs("_galena_files; return ;;\n", to);
            continue;
        }
        fputs("COMPREPLY=($(compgen -W '", to);
        for (size_t k = 0; x[i].type == SETTING_CHOICE && x[i].choices[k]; k++)
            fprintf(to, "%s%s", k > 0 ? " " : "", x[i].choices[k]);
        fputs("' -- \"$word\")); return ;;\n", to);
    }
}

static void bash_command(FILE *to, const struct command *c) {
    fputs("    '", to);
    put_quoted(to, str_from(c->name));
    fputs("')\n        case $before in\n", to);
    bash_values(to, c->settings, c->n_setting);
    bash_values(to, common_settings, n_common_settings);
    fputs("        esac\n        if [[ $word == -* ]]; then\n            COMPREPLY=($(compgen -W '", to);
    bash_words(to, c->settings, c->n_setting);
    bash_words(to, common_settings, n_common_settings);
    fputs("' -- \"$word\"))\n", to);
    if (takes_file(c))
        fputs("        else\n            _galena_files\n", to);
    fputs("        fi ;;\n", to);
}

static void bash(struct arena *a, FILE *to) {
    fputs("# bash completion for galena\n"
          "_galena_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$word\")); }\n"
          "_galena() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '--help --version",
          to);
    str last = {0};
    for (size_t i = 0; i < n_commands; i++) {
        str rest = str_from(commands[i]->name), first;
        bool two = str_find_byte(rest, ' ') >= 0;
        if (str_split(&rest, ' ', &first) && !(two && str_equal(first, last)))
            fprintf(to, " %.*s", STR_ARG(first));
        last = first;
    }
    fputs("' -- \"$word\"))\n        return\n    fi\n    case $command in\n", to);
    for (size_t i = 0; i < n_commands; i++) {
        str rest = str_from(commands[i]->name), first, second;
        if (!str_split(&rest, ' ', &first) || !str_split(&rest, ' ', &second))
            continue;
        fprintf(to, "    %.*s) [[ ${COMP_WORDS[2]} == %.*s && $COMP_CWORD -gt 2 ]] && command='%s' ;;&\n", STR_ARG(first),
                STR_ARG(second), commands[i]->name);
        fprintf(to, "    %.*s) ((COMP_CWORD == 2)) && COMPREPLY+=($(compgen -W '%.*s' -- \"$word\")) ;;&\n", STR_ARG(first),
                STR_ARG(second));
    }
    fputs("    esac\n    case $command in\n", to);
    for (size_t i = 0; i < n_commands; i++)
        bash_command(to, commands[i]);
    fputs("    esac\n}\ncomplete -F _galena galena\n", to);
    (void)a;
}

/* ---- zsh ---- */

/* Descriptions stand in brackets between colons. */
static void put_zsh_text(FILE *to, str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("[]:\\", text.ptr[i]))
            fputc('\\', to);
        put_quoted(to, str_slice(text, i, i + 1));
    }
}

static void zsh_settings(FILE *to, const struct setting *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "                '%s--%s[", x[i].type == SETTING_LIST ? "*" : "", x[i].name);
        put_zsh_text(to, str_from(x[i].help));
        fputc(']', to);
        if (x[i].type != SETTING_FLAG) {
            fputc(':', to);
            put_zsh_text(to, str_from(setting_arg(&x[i])));
            fputc(':', to);
        }
        if (x[i].type == SETTING_PATH)
            fputs("_files", to);
        for (size_t k = 0; x[i].type == SETTING_CHOICE && x[i].choices[k]; k++)
            fprintf(to, "%s%s", k == 0 ? "(" : " ", x[i].choices[k]);
        fputs(x[i].type == SETTING_CHOICE ? ")' \\\n" : "' \\\n", to);
    }
}

static void zsh(FILE *to) {
    fputs("#compdef galena\n"
          "_galena() {\n"
          "    local -a names\n"
          "    names=(\n",
          to);
    for (size_t i = 0; i < n_commands; i++) {
        fputs("        '", to);
        put_zsh_text(to, str_from(commands[i]->name));
        fputc(':', to);
        put_zsh_text(to, str_from(commands[i]->summary));
        fputs("'\n", to);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe command names\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    if [[ -n ${(M)names:#\"$words[2] $words[3]\":*} ]] && ((CURRENT > 3)); then\n"
          "        command=\"$words[2] $words[3]\"\n"
          "        shift words\n"
          "        ((CURRENT--))\n"
          "    fi\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          to);
    for (size_t i = 0; i < n_commands; i++) {
        fputs("        ('", to);
        put_quoted(to, str_from(commands[i]->name));
        fputs("')\n            _arguments \\\n", to);
        zsh_settings(to, commands[i]->settings, commands[i]->n_setting);
        zsh_settings(to, common_settings, n_common_settings);
        fputs(takes_file(commands[i]) ? "                '*:file:_files' ;;\n" : "                '*:: :' ;;\n", to);
    }
    fputs("    esac\n}\n_galena \"$@\"\n", to);
}

err describe_completion(struct arena *a, FILE *to, str shell) {
    if (str_equal(shell, STR("bash")))
        bash(a, to);
    else if (str_equal(shell, STR("zsh")))
        zsh(to);
    else
        return fail(ERR_INPUT, "usage_bad_value", "there is completion for bash and zsh, not for \"%.*s\"", STR_ARG(shell));
    return OK;
}
