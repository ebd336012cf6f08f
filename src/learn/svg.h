/* svg.h — small plots as inline SVG: axes with round ticks, lines, bands, points, bars and a legend.
 *
 * Colours are CSS classes (report.css), so that one picture serves light and dark screens and paper. Series differ by dash
 * or shape as well as by colour, and the colours are told apart with any colour vision. Every text is escaped. Nothing is
 * loaded, nothing runs. */
#ifndef GALENA_LEARN_SVG_H
#define GALENA_LEARN_SVG_H

#include "base/buf.h"

/* How numbers on an axis are written. */
enum svg_unit { SVG_NUMBER, SVG_PERCENT };

/* low < high. */
struct svg_axis {
    double low, high;
    enum svg_unit unit;
    const char *label;
    bool no_ticks;
};

/* Looks: three series, and what stands behind them. If you change this: share/report/report.css. */
enum svg_look { SVG_FIRST, SVG_SECOND, SVG_THIRD, SVG_REFERENCE, SVG_LOOK_COUNT };

struct svg_point {
    double x, y;
};

struct svg_plot {
    struct buf *out;
    double width, height; /* of the picture, in CSS pixels */
    struct svg_axis x, y;
    double left, top, right, bottom; /* of the frame; set by svg_begin */
    unsigned entries;                /* legend entries so far */
    bool legend_right, legend_top;   /* where the legend stands; default: left, bottom */
};

/* Opens <svg> with a title for screen readers, draws the grid and axes. The caller has set out, width, height, x, y. */
void svg_begin(struct svg_plot *p, const char *title);
void svg_end(struct svg_plot *p);

/* A line through points; a point with a coordinate that is not finite breaks it. What leaves the frame is clipped. */
void svg_line(struct svg_plot *p, const struct svg_point *points, size_t n, enum svg_look look);

/* The area between low and high over ascending x; n >= 2. */
void svg_band(struct svg_plot *p, const double *x, const double *low, const double *high, size_t n, enum svg_look look);

/* A mark with a hover text (may be NULL). */
void svg_mark(struct svg_plot *p, struct svg_point at, enum svg_look look, const char *hover);

/* A vertical error bar. */
void svg_whisker(struct svg_plot *p, double x, double low, double high, enum svg_look look);

/* A bar from `base` to `height` over [from, to] of x. */
void svg_bar(struct svg_plot *p, double from, double to, double base, double height, enum svg_look look, const char *hover);

/* A small text centred at a point. */
void svg_label(struct svg_plot *p, struct svg_point at, const char *text);

/* One line of the legend. */
enum svg_sample { SVG_SAMPLE_LINE, SVG_SAMPLE_AREA, SVG_SAMPLE_MARK };
void svg_legend(struct svg_plot *p, enum svg_look look, enum svg_sample sample, const char *text);

/* Round ticks within [low, high]: at most `max` (>= 2) multiples of 1, 2 or 5 times a power of ten. Returns how many. */
size_t svg_ticks(double low, double high, size_t max, double *ticks);

/* Text made safe for HTML and XML, element text and quoted attributes alike: & < > " ' escaped; bytes that are no UTF-8,
 * control characters and characters that turn the direction of writing become U+FFFD. */
void svg_escape(struct buf *out, str text);

#endif
