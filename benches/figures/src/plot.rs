//! The plot of growth as SVG: rules on a logarithmic axis, nanoseconds a decision, a line for each shape of rules.
//!
//! Nothing is behind it, and its colours can be read on white and on black. Lines that lie on each other are told apart by
//! their labels, which stand to the right, apart, each tied to its line's end.

use std::fmt::Write;

use crate::read::Curve;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 480.0;

/// The sides of the plotted area.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 610.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 424.0;

/// Where labels begin, and how far apart they are at least.
const LABELS: f64 = 646.0;
const APART: f64 = 19.0;

/// Of text and axes.
const GREY: &str = "#737b85";

/// Neighbours differ most; one that comes a second time is dashed.
const COLOURS: [&str; 6] = ["#2f7de1", "#c9651b", "#1f8a5b", "#c2478f", "#8a6fd6", "#8c7a12"];

/// The plotted values as places on the paper.
struct Scale {
    least: f64,
    most: f64,
    top: f64,
    /// The nanoseconds between two lines of the grid.
    step: f64,
}

impl Scale {
    fn of(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let rules = || points().map(|point| f64::from(point.0).log10());
        let highest = points().map(|point| point.1).fold(0.0, f64::max);
        let step = step(highest);
        Scale {
            least: rules().fold(f64::INFINITY, f64::min),
            most: rules().fold(f64::NEG_INFINITY, f64::max),
            top: (highest / step).ceil().max(1.0) * step,
            step,
        }
    }

    fn x(&self, rules: u32) -> f64 {
        let share = (f64::from(rules).log10() - self.least) / (self.most - self.least);
        LEFT + share * (RIGHT - LEFT)
    }

    fn y(&self, nanoseconds: f64) -> f64 {
        BOTTOM - nanoseconds / self.top * (BOTTOM - TOP)
    }
}

/// The distance of the lines of a grid: 1, 2 or 5, with noughts.
fn step(highest: f64) -> f64 {
    let rough = (highest / 10.0).max(f64::MIN_POSITIVE);
    let unit = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0].map(|times| times * unit).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * unit)
}

/// The whole file.
pub(crate) fn svg(curves: &[Curve]) -> String {
    let scale = Scale::of(curves);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" \
         font-size=\"13\">\n<title>Nanoseconds a decision as policies grow</title>\n"
    );
    text(
        &mut svg,
        (LEFT - 40.0, 20.0),
        "start",
        GREY,
        "nanoseconds a decision, logins in unpredictable order",
    );
    axes(&mut svg, &scale, curves);
    let ends: Vec<f64> =
        curves.iter().map(|curve| curve.points.last().map_or(BOTTOM, |last| scale.y(last.1))).collect();
    let labels = apart(&ends);
    for ((place, curve), (end, label)) in curves.iter().enumerate().zip(ends.iter().zip(&labels)) {
        line(&mut svg, &scale, place, curve);
        tie(&mut svg, place, curve, (*end, *label));
    }
    svg + "</svg>\n"
}

fn axes(svg: &mut String, scale: &Scale, curves: &[Curve]) {
    let step = scale.step;
    for line in 0..=(scale.top / step).round() as u32 {
        let nanoseconds = f64::from(line) * step;
        let y = scale.y(nanoseconds);
        let opacity = if line == 0 { 1.0 } else { 0.3 };
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{GREY}\" stroke-opacity=\"{opacity}\"/>"
        );
        text(svg, (LEFT - 8.0, y + 4.5), "end", GREY, &nanoseconds.to_string());
    }
    let mut sizes: Vec<u32> = curves.iter().flat_map(|curve| &curve.points).map(|point| point.0).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        let x = scale.x(size);
        let _ = writeln!(svg, "<path d=\"M{x:.1} {BOTTOM}v5\" stroke=\"{GREY}\"/>");
        text(svg, (x, BOTTOM + 21.0), "middle", GREY, &thousands(size));
    }
    text(svg, ((LEFT + RIGHT) / 2.0, BOTTOM + 44.0), "middle", GREY, "rules in the policy");
}

fn thousands(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{content}</text>"
    );
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

fn dashes(place: usize) -> &'static str {
    ["", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 4\""][place / COLOURS.len() % 3]
}

fn line(svg: &mut String, scale: &Scale, place: usize, curve: &Curve) {
    let places: Vec<(f64, f64)> =
        curve.points.iter().map(|point| (scale.x(point.0), scale.y(point.1))).collect();
    let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let (colour, dashes, points) = (colour(place), dashes(place), points.join(" "));
    let _ = writeln!(
        svg,
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
    );
    for (x, y) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

/// The label of a line, and what ties it to the line's end.
fn tie(svg: &mut String, place: usize, curve: &Curve, (end, label): (f64, f64)) {
    let colour = colour(place);
    let (from, bend, to) = (RIGHT + 5.0, LABELS - 16.0, LABELS - 4.0);
    let _ = writeln!(
        svg,
        "<path d=\"M{from} {end:.1}L{bend} {label:.1}H{to}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.7\"/>"
    );
    let nanoseconds = curve.points.last().map_or(f64::NAN, |last| last.1);
    text(svg, (LABELS, label + 4.5), "start", colour, &format!("{}: {nanoseconds:.1} ns", curve.name));
}

/// Places that are as near to the wished ones as they can be with a distance between them, in their order.
fn apart(wished: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|one, other| wished[*one].total_cmp(&wished[*other]));
    let mut places = wished.to_vec();
    let mut lowest = BOTTOM;
    for place in order.iter().rev() {
        places[*place] = places[*place].min(lowest);
        lowest = places[*place] - APART;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves() -> Vec<Curve> {
        let curve = |place: usize| {
            let last = if place == 3 { 16.2 } else { 1.6 };
            Curve {
                name: format!("shape <{place}> & more"),
                points: vec![(10, 1.5), (100, 2.0), (10_000, last)],
            }
        };
        (0..12).map(curve).collect()
    }

    #[test]
    fn every_shape_has_a_line_and_a_label() {
        let svg = svg(&curves());
        assert_eq!(svg.matches("<polyline").count(), 12);
        assert_eq!(svg.matches("<circle").count(), 36);
        for place in 0..12 {
            assert!(svg.contains(&format!(">shape &lt;{place}> &amp; more: ")), "{svg}");
        }
        assert!(svg.contains(">10,000</text>") && svg.contains(">18</text>"), "{svg}");
    }

    #[test]
    fn every_element_is_closed() {
        let svg = svg(&curves());
        for name in ["svg", "title", "text"] {
            assert_eq!(svg.matches(&format!("<{name}")).count(), svg.matches(&format!("</{name}>")).count());
        }
        for line in
            svg.lines().filter(|line| ["<path", "<poly", "<circ"].iter().any(|tag| line.starts_with(tag)))
        {
            assert!(line.ends_with("/>") && line.matches('"').count() % 2 == 0, "{line}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn equal_steps_of_an_axis_are_equal_factors() {
        let scale = Scale::of(&curves());
        assert_eq!(scale.x(10), LEFT);
        assert_eq!(scale.x(10_000), RIGHT);
        assert!((scale.x(100) - LEFT - (RIGHT - LEFT) / 3.0).abs() < 1e-9);
        assert_eq!((scale.top, scale.y(0.0), scale.y(18.0)), (18.0, BOTTOM, TOP));
    }

    #[test]
    fn labels_keep_their_order_and_a_distance() {
        let places = apart(&[BOTTOM - 4.0, 100.0, BOTTOM - 5.0, BOTTOM - 4.0, 100.0]);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= APART), "{places:?}");
        assert!(places[2] < places[0] && places[1] < places[2], "{places:?}");
        assert!(sorted[4] <= BOTTOM);
    }

    #[test]
    fn colours_can_be_read_on_white_and_on_black() {
        let channel = |colour: &str, place: usize| {
            let value = u8::from_str_radix(&colour[place..place + 2], 16).expect("two digits");
            let share = f64::from(value) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let light = |colour: &str| {
            0.2126 * channel(colour, 1) + 0.7152 * channel(colour, 3) + 0.0722 * channel(colour, 5)
        };
        // The dark is that of GitHub's pages.
        let dark = light("#0d1117");
        for colour in COLOURS.iter().chain([&GREY]) {
            let (on_white, on_dark) = (1.05 / (light(colour) + 0.05), (light(colour) + 0.05) / (dark + 0.05));
            assert!(on_white >= 3.8 && on_dark >= 3.8, "{colour}: {on_white:.2}, {on_dark:.2}");
        }
    }
}
