//! How findings are written: formats and colours.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use stepup::{Format, HumanStyle, Report};

/// How findings are written.
#[derive(Args, Clone, Copy)]
pub(super) struct Output {
    /// Who reads the findings
    #[arg(long, value_enum, default_value_t = FormatName::Human)]
    format: FormatName,
    #[command(flatten)]
    color: Color,
}

/// Whether text for people is coloured.
#[derive(Args, Clone, Copy)]
pub(super) struct Color {
    /// Colour the text: by default when a terminal shows it and NO_COLOR is not set
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatName {
    /// People
    Human,
    /// Programs: one JSON document, whose edits can be applied
    Json,
    /// Code hosts: SARIF 2.1.0
    Sarif,
}

#[derive(ValueEnum, Clone, Copy)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

impl Color {
    /// The style for standard error.
    pub(super) fn style(self) -> HumanStyle {
        self.style_on(&io::stderr())
    }

    /// The style for standard output.
    pub(super) fn style_of_output(self) -> HumanStyle {
        self.style_on(&io::stdout())
    }

    fn style_on(self, stream: &impl IsTerminal) -> HumanStyle {
        let coloured = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        };
        if coloured { HumanStyle::Ansi } else { HumanStyle::Plain }
    }
}

/// Words in the colours of good and bad news.
pub(super) trait Paint {
    fn good(self, text: &str) -> String;
    fn bad(self, text: &str) -> String;
}

impl Paint for HumanStyle {
    fn good(self, text: &str) -> String {
        painted(self, "32", text)
    }

    fn bad(self, text: &str) -> String {
        painted(self, "1;31", text)
    }
}

fn painted(style: HumanStyle, colour: &str, text: &str) -> String {
    match style {
        HumanStyle::Ansi => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        HumanStyle::Plain => text.to_owned(),
    }
}

impl Output {
    pub(super) fn is_human(self) -> bool {
        self.format == FormatName::Human
    }

    /// Writes a report: for people to standard error with a line that counts, for programs to standard output.
    pub(super) fn write(self, report: &Report, name: &str) {
        match self.format {
            FormatName::Human => write_human(report, name, self.color.style()),
            FormatName::Json => print(&report.render(Format::Json)),
            FormatName::Sarif => print(&report.render(Format::Sarif)),
        }
    }
}

/// Writes a report for people.
pub(super) fn write_human(report: &Report, name: &str, style: HumanStyle) {
    if report.is_empty() {
        return;
    }
    let counted = report.summary(name).unwrap_or_default();
    let mut stderr = io::stderr().lock();
    // A reader that has gone away wants to hear no more.
    let _ = write!(stderr, "{}", report.render(Format::Human(style)));
    let _ = writeln!(stderr, "{counted}");
}

/// Prints a text that ends its last line itself, or not; a reader that has gone away is no failure.
pub(super) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
}
