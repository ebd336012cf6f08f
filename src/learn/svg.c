/* svg.c — plots as SVG. */
#include "learn/svg.h"

#include "base/utf8.h"

#include <math.h>

/* ---- text ---- */

/* Control characters but tab and line feed, marks and overrides of direction, and what XML forbids. */
static bool is_unsafe(int32_t c) {
    if (c < 0x20)
        return c != '\t' && c != '\n';
    return (c >= 0x7f && c <= 0x9f) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x061c || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

static const char *entity(int32_t c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_unsafe(c) ? "\xef\xbf\xbd" : NULL;
    }
}

void svg_escape(struct buf *out, str text) {
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        int32_t c = utf8_next(text, &at);
        const char *instead = entity(c);
        buf_add(out, instead ? str_from(instead) : str_slice(text, from, at));
    }
}

static void escape(struct buf *out, const char *text) { svg_escape(out, str_from(text)); }

/* ---- axes ---- */

size_t svg_ticks(double low, double high, size_t max, double *ticks) {
    double rough = (high - low) / (double)(max - 1), power = pow(10, floor(log10(rough)));
    double step = 10 * power;
    for (int i = 0; i < 3; i++) {
        double candidate = (const double[]){1, 2, 5}[i] * power;
        if (candidate >= rough * (1 - 1e-9)) {
            step = candidate;
            break;
        }
    }
    size_t n = 0;
    for (double k = ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && n < max; k++)
        ticks[n++] = k == 0 ? 0 : k * step;
    return n;
}

static double at_x(const struct svg_plot *p, double x) {
    return p->left + (x - p->x.low) / (p->x.high - p->x.low) * (p->right - p->left);
}

static double at_y(const struct svg_plot *p, double y) {
    return p->bottom - (y - p->y.low) / (p->y.high - p->y.low) * (p->bottom - p->top);
}

/* Within the frame, so that whatever it is given, a plot stays in its picture. */
static double clip_x(const struct svg_plot *p, double x) { return fmin(fmax(at_x(p, x), p->left), p->right); }
static double clip_y(const struct svg_plot *p, double y) { return fmin(fmax(at_y(p, y), p->top), p->bottom); }

static void tick_text(struct buf *out, double value, enum svg_unit unit) {
    if (unit == SVG_PERCENT)
        buf_add_format(out, "%.3g %%", value * 100);
    else
        buf_add_format(out, "%.3g", value);
}

enum { MAX_TICK = 7 };

static void draw_x_axis(struct svg_plot *p) {
    double ticks[MAX_TICK];
    size_t n = p->x.no_ticks ? 0 : svg_ticks(p->x.low, p->x.high, MAX_TICK - 1, ticks);
    for (size_t i = 0; i < n; i++) {
        double x = at_x(p, ticks[i]);
        buf_add_format(p->out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, p->top, p->bottom);
        buf_add_format(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, p->bottom + 16);
        tick_text(p->out, ticks[i], p->x.unit);
        buf_add(p->out, STR("</text>"));
    }
    buf_add_format(p->out, "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (p->left + p->right) / 2,
                   p->height - 6);
    escape(p->out, p->x.label);
    buf_add(p->out, STR("</text>"));
}

static void draw_y_axis(struct svg_plot *p) {
    double ticks[MAX_TICK];
    size_t n = p->y.no_ticks ? 0 : svg_ticks(p->y.low, p->y.high, MAX_TICK - 1, ticks);
    for (size_t i = 0; i < n; i++) {
        double y = at_y(p, ticks[i]);
        buf_add_format(p->out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", p->left, y, p->right);
        buf_add_format(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", p->left - 6, y + 4);
        tick_text(p->out, ticks[i], p->y.unit);
        buf_add(p->out, STR("</text>"));
    }
    buf_add_format(p->out, "<text class=\"axis\" transform=\"translate(13 %.1f) rotate(-90)\" text-anchor=\"middle\">",
                   (p->top + p->bottom) / 2);
    escape(p->out, p->y.label);
    buf_add(p->out, STR("</text>"));
}

void svg_begin(struct svg_plot *p, const char *title) {
    p->left = 62;
    p->top = 10;
    p->right = p->width - 24;
    p->bottom = p->height - 42;
    p->entries = 0;
    buf_add_format(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %.0f %.0f\">", p->width,
                   p->height);
    buf_add(p->out, STR("<title>"));
    escape(p->out, title);
    buf_add(p->out, STR("</title>"));
    draw_x_axis(p);
    draw_y_axis(p);
    buf_add_format(p->out, "<path class=\"frame\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", p->left, p->top, p->bottom, p->right);
}

void svg_end(struct svg_plot *p) { buf_add(p->out, STR("</svg>\n")); }

/* ---- marks ---- */

static const char *const look_class[SVG_LOOK_COUNT] = {"s1", "s2", "s3", "ref"};

void svg_line(struct svg_plot *p, const struct svg_point *points, size_t n, enum svg_look look) {
    buf_add_format(p->out, "<path class=\"line %s\" d=\"", look_class[look]);
    bool pen_down = false;
    for (size_t i = 0; i < n; i++) {
        bool here = isfinite(points[i].x) && isfinite(points[i].y);
        if (here)
            buf_add_format(p->out, "%c%.1f %.1f", pen_down ? 'L' : 'M', clip_x(p, points[i].x), clip_y(p, points[i].y));
        pen_down = here;
    }
    buf_add(p->out, STR("\"/>\n"));
}

void svg_band(struct svg_plot *p, const double *x, const double *low, const double *high, size_t n, enum svg_look look) {
    buf_add_format(p->out, "<path class=\"area %s\" d=\"", look_class[look]);
    for (size_t i = 0; i < n; i++)
        buf_add_format(p->out, "%c%.1f %.1f", i ? 'L' : 'M', clip_x(p, x[i]), clip_y(p, high[i]));
    for (size_t i = n; i-- > 0;)
        buf_add_format(p->out, "L%.1f %.1f", clip_x(p, x[i]), clip_y(p, low[i]));
    buf_add(p->out, STR("Z\"/>\n"));
}

static void close_with_hover(struct svg_plot *p, const char *element, const char *hover) {
    if (!hover) {
        buf_add(p->out, STR("/>\n"));
        return;
    }
    buf_add(p->out, STR("><title>"));
    escape(p->out, hover);
    buf_add_format(p->out, "</title></%s>\n", element);
}

void svg_mark(struct svg_plot *p, struct svg_point at, enum svg_look look, const char *hover) {
    if (!isfinite(at.x) || !isfinite(at.y))
        return;
    double x = clip_x(p, at.x), y = clip_y(p, at.y);
    if (look == SVG_SECOND) {
        buf_add_format(p->out, "<path class=\"mark %s\" d=\"M%.1f %.1fl4.5 4.5l-4.5 4.5l-4.5 -4.5Z\"", look_class[look], x,
                       y - 4.5);
        close_with_hover(p, "path", hover);
    } else {
        buf_add_format(p->out, "<circle class=\"mark %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\"", look_class[look], x, y);
        close_with_hover(p, "circle", hover);
    }
}

void svg_whisker(struct svg_plot *p, double x, double low, double high, enum svg_look look) {
    if (!isfinite(x) || !isfinite(low) || !isfinite(high))
        return;
    buf_add_format(p->out, "<path class=\"whisker %s\" d=\"M%.1f %.1fV%.1f\"/>\n", look_class[look], clip_x(p, x),
                   clip_y(p, low), clip_y(p, high));
}

void svg_bar(struct svg_plot *p, double from, double to, double base, double height, enum svg_look look, const char *hover) {
    if (!isfinite(base) || !isfinite(height))
        return;
    double x = clip_x(p, from), top = clip_y(p, fmax(base, height)), bottom = clip_y(p, fmin(base, height));
    buf_add_format(p->out, "<rect class=\"bar %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", look_class[look],
                   x, top, clip_x(p, to) - x, bottom - top);
    close_with_hover(p, "rect", hover);
}

void svg_label(struct svg_plot *p, struct svg_point at, const char *text) {
    if (!isfinite(at.x) || !isfinite(at.y))
        return;
    buf_add_format(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", clip_x(p, at.x),
                   clip_y(p, at.y) - 4);
    escape(p->out, text);
    buf_add(p->out, STR("</text>\n"));
}

void svg_legend(struct svg_plot *p, enum svg_look look, enum svg_sample sample, const char *text) {
    enum { LINE = 18 };
    double y = p->legend_top ? p->top + 12 + LINE * p->entries : p->bottom - 12 - LINE * p->entries;
    double x = p->legend_right ? p->right - 8 : p->left + 12;
    double sample_x = p->legend_right ? x - 24 : x, text_x = p->legend_right ? x - 32 : x + 32;
    const char *class = look_class[look];
    p->entries++;
    if (sample == SVG_SAMPLE_LINE)
        buf_add_format(p->out, "<path class=\"line %s\" d=\"M%.1f %.1fh24\"/>", class, sample_x, y);
    if (sample == SVG_SAMPLE_AREA)
        buf_add_format(p->out, "<rect class=\"area %s\" x=\"%.1f\" y=\"%.1f\" width=\"24\" height=\"10\"/>", class, sample_x,
                       y - 5);
    if (sample == SVG_SAMPLE_MARK)
        svg_mark(&(struct svg_plot){.out = p->out,
                                    .x = {0, 1, SVG_NUMBER, "", true},
                                    .y = {0, 1, SVG_NUMBER, "", true},
                                    .left = sample_x + 12,
                                    .right = sample_x + 12,
                                    .top = y,
                                    .bottom = y},
                 (struct svg_point){0, 0}, look, NULL);
    buf_add_format(p->out, "<text class=\"key\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", text_x, y + 4,
                   p->legend_right ? "end" : "start");
    escape(p->out, text);
    buf_add(p->out, STR("</text>\n"));
}
