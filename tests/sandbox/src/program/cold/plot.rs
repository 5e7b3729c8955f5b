//! The times as a picture: a dot for each start.
//!
//! Extensions below each other, each with a strip for register, subscribe and next; time grows to the right, by
//! factors, so that what takes a tenth of a millisecond is seen beside what takes ten.

use std::fmt::Write;
use std::time::Duration;

use super::report::Column;
use super::series::Series;
use super::start::Start;
use super::statistics::Summary;

const WIDTH: f64 = 980.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 900.0;
const TOP: f64 = 92.0;
const STRIP: f64 = 22.0;
const GAP: f64 = 18.0;
const TITLE: f64 = 40.0;
const NAME_LETTERS_MAX: usize = 20;

type Stage = (&'static str, fn(&Start) -> Duration);
type Part = (&'static str, fn(&Column) -> &Series);

const STAGES: [Stage; 3] = [
    ("register", |start| start.register),
    ("subscribe", |start| start.subscribe),
    ("next", |start| start.next),
];

const STYLE: &str = "\
text { font: 13px system-ui, 'Helvetica Neue', Arial, sans-serif; fill: #3b4252; }
.title { font-size: 19px; font-weight: 600; fill: #1f2430; }
.part { font-weight: 600; fill: #6b7280; letter-spacing: .02em; }
.name { font-size: 14px; font-weight: 600; fill: #1f2430; }
.faint { font-size: 12px; fill: #8a92a3; }
.number { font-variant-numeric: tabular-nums; text-anchor: end; }
.grid { stroke: #e5e7ec; }
.paper { fill: #ffffff; }
.band { fill: #f6f7f9; }
.dots { fill: #7c8798; fill-opacity: .38; }
.first .dots { fill: #e07a10; fill-opacity: .42; }
.median { stroke: #3b4252; stroke-width: 2.5; stroke-linecap: round; }
.first .median { stroke: #a34e00; }
@media (prefers-color-scheme: dark) {
  text { fill: #c8ced9; } .title, .name { fill: #f1f3f7; } .part, .faint { fill: #8b94a5; }
  .grid { stroke: #2b313c; } .paper { fill: #15181e; } .band { fill: #1b1f27; }
  .median { stroke: #d5dae3; } .first .median { stroke: #ffc078; }
}
";

pub(crate) fn draw(columns: &[Column]) -> String {
    let scale = Scale::of(columns);
    let parts: [Part; 2] = [
        ("from the page cache", |column| &column.warm),
        ("file dropped from the page cache", |column| &column.dropped),
    ];
    let row = STRIP * STAGES.len() as f64 + GAP;
    let bottom = TOP + 2.0 * (TITLE + row * columns.len() as f64);
    let height = bottom + 48.0;
    let mut svg = String::new();
    let mut put = |text: String| writeln!(svg, "{text}").expect("a string takes everything");
    put(format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'>\n\
         <style>{STYLE}</style>\n<rect class='paper' width='100%' height='100%'/>"
    ));
    let starts = columns
        .iter()
        .map(|column| column.warm.starts.len())
        .max()
        .unwrap_or(0);
    put(text(24.0, 40.0, "title", "From exec to the first next"));
    put(text(
        24.0,
        62.0,
        "faint",
        &format!(
            "A dot for each of {starts} starts, a line at the median. Milliseconds, each step the same factor."
        ),
    ));
    for tick in scale.ticks() {
        let x = scale.x(tick);
        put(format!("<path class='grid' d='M{x:.1} {TOP}V{bottom}'/>"));
        let label = format!(
            "<text class='faint' text-anchor='middle' x='{x:.1}' y='{:.1}'>{tick} ms</text>",
            bottom + 20.0
        );
        put(label);
    }
    let mut y = TOP;
    for (title, series) in parts {
        put(text(24.0, y + 26.0, "part", title));
        y += TITLE;
        for (index, column) in columns.iter().enumerate() {
            put(extension(&scale, y, index == 0, column, series(column)));
            y += row;
        }
    }
    put("</svg>".into());
    svg
}

/// The end of a name that is too long, a path, tells more than its beginning.
fn shortened(name: &str) -> String {
    match name.char_indices().rev().nth(NAME_LETTERS_MAX - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &name[at..]),
        _ => name.into(),
    }
}

/// Its name and its strips, beginning at `top`.
fn extension(scale: &Scale, top: f64, is_first: bool, column: &Column, series: &Series) -> String {
    let mut group = format!("<g class='{}'>\n", if is_first { "first" } else { "other" });
    let mut put = |text: String| writeln!(group, "{text}").expect("a string takes everything");
    put(text(
        24.0,
        top + 15.0,
        "name",
        &shortened(&column.subject.name),
    ));
    let size = format!("{:.0} kB", column.subject.bytes as f64 / 1000.0);
    put(text(24.0, top + 33.0, "faint", &size));
    for (index, (stage, of)) in STAGES.into_iter().enumerate() {
        let (y, times) = (top + STRIP * index as f64, series.milliseconds(of));
        put(format!(
            "<rect class='band' x='{LEFT}' y='{:.1}' width='{:.1}' height='{:.1}' rx='4'/>",
            y + 2.0,
            RIGHT - LEFT,
            STRIP - 4.0
        ));
        put(format!(
            "<text class='faint' text-anchor='end' x='{}' y='{:.1}'>{stage}</text>",
            LEFT - 10.0,
            y + 15.0
        ));
        put(dots(scale, y, &times));
        if let Some(Summary { median, .. }) = Summary::of(times) {
            let x = scale.x(median);
            put(format!(
                "<path class='median' d='M{x:.1} {:.1}v{:.1}'/>",
                y + 3.0,
                STRIP - 6.0
            ));
            put(text(
                WIDTH - 24.0,
                y + 15.0,
                "number",
                &format!("{median:.2}"),
            ));
        }
    }
    group.push_str("</g>");
    group
}

/// Spread over the strip's height, so that they do not hide each other.
fn dots(scale: &Scale, top: f64, times: &[f64]) -> String {
    const GOLDEN: f64 = 0.618_034;
    let mut dots = "<g class='dots'>".to_string();
    for (index, time) in times.iter().enumerate() {
        let y = top + 5.0 + (index as f64 * GOLDEN).fract() * (STRIP - 10.0);
        write!(
            dots,
            "<circle cx='{:.1}' cy='{y:.1}' r='2.6'/>",
            scale.x(*time)
        )
        .expect("as above");
    }
    dots + "</g>"
}

fn text(x: f64, y: f64, class: &str, content: &str) -> String {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text class='{class}' x='{x}' y='{y:.1}'>{content}</text>")
}

/// Milliseconds to places.
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn of(columns: &[Column]) -> Scale {
        let all = columns
            .iter()
            .flat_map(|column| [&column.warm, &column.dropped]);
        let times: Vec<f64> = all
            .flat_map(|series| STAGES.map(|(_, of)| series.milliseconds(of)).concat())
            .collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let most = times.iter().copied().fold(0.0, f64::max);
        match times.is_empty() {
            true => Scale {
                from: 0.1,
                to: 10.0,
            },
            false => Scale {
                from: least / 1.15,
                to: most * 1.15,
            },
        }
    }

    fn x(&self, milliseconds: f64) -> f64 {
        LEFT + (milliseconds / self.from).ln() / (self.to / self.from).ln() * (RIGHT - LEFT)
    }

    /// 1, 2 and 5 of each power of ten.
    fn ticks(&self) -> Vec<f64> {
        let all = (-3..5).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
        // So that 0.2 is written so.
        let all = all.map(|tick| (tick * 1000.0).round() / 1000.0);
        all.filter(|tick| (self.from..=self.to).contains(tick))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_by_factors() {
        let scale = Scale {
            from: 0.1,
            to: 10.0,
        };
        assert_eq!(scale.ticks(), [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]);
        assert_eq!((scale.x(0.1), scale.x(10.0)), (LEFT, RIGHT));
        assert!((scale.x(1.0) - (LEFT + RIGHT) / 2.0).abs() < 1e-9);
    }

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shortened("lambda-extension"), "lambda-extension");
        assert_eq!(shortened("12345678901234567890"), "12345678901234567890");
        assert_eq!(
            shortened("/opt/12345678901234567890"),
            "…12345678901234567890"
        );
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(
            text(1.0, 2.0, "name", "a<b&c"),
            "<text class='name' x='1' y='2.0'>a&lt;b&amp;c</text>"
        );
    }
}
