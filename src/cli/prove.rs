//! `stepup prove`: what holds for every login of a flow.

use clap::{Args, ValueEnum};
use stepup::diagnostic::render::one_line;
use stepup::flow::{Proof, assumptions};
use stepup::{Engine, Examined, Format, HumanStyle};

use super::Exit;
use super::flow::Flow;
use super::output::{Color, Paint, print};

/// Prove the guarantees of a flow, or show the login that breaks one
#[derive(Args)]
pub(super) struct Prove {
    #[command(flatten)]
    flow: Flow,
    /// Who reads the answers
    #[arg(long, value_enum, default_value_t = AnswerFormat::Human)]
    format: AnswerFormat,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum AnswerFormat {
    /// People
    Human,
    /// Programs: one JSON document with every answer and its login
    Json,
}

impl Prove {
    pub(super) fn run(self) -> Exit {
        let examined = match self.flow.examine(Engine::Interpreter, self.color) {
            Ok(examined) => examined,
            Err(exit) => return exit,
        };
        match self.format {
            AnswerFormat::Human => print(&human(&examined, self.color.style_of_output())),
            AnswerFormat::Json => {
                let Examined { compiled, analysis } = &examined;
                let data = analysis.data(&compiled.typed, compiled.report.sources());
                match serde_json::to_string(&data) {
                    Ok(text) => print(&text),
                    Err(error) => {
                        eprintln!("internal error: {error}");
                        return Exit::Internal;
                    }
                }
            }
        }
        let is_open = examined.analysis.unanswered.is_some();
        let is_refuted = |proof: &Proof| matches!(proof, Proof::Refuted(_));
        let refuted = examined.analysis.guarantees.iter().any(|answer| is_refuted(&answer.proof));
        if is_open || refuted { Exit::Findings } else { Exit::Fine }
    }
}

/// What was found, then a line an answer.
fn human(examined: &Examined, style: HumanStyle) -> String {
    let Examined { compiled, analysis } = examined;
    let mut text = compiled.report.render(Format::Human(style));
    let mut line = |mark: String, what: &str| text.push_str(&format!("{mark}  {what}\n"));
    line(style.good("proven "), "every login stays within four commands");
    for answer in &analysis.guarantees {
        let Some(guarantee) = compiled.typed.guarantees.get(answer.guarantee) else { continue };
        let mark = match &answer.proof {
            Proof::Proven => style.good("proven "),
            Proof::Vacuous => style.bad("vacuous"),
            Proof::Refuted(_) => style.bad("broken "),
        };
        let rests = match &answer.proof {
            Proof::Proven => assumptions(&compiled.typed, guarantee),
            // A login that is shown names them where it uses them.
            Proof::Vacuous | Proof::Refuted(_) => Vec::new(),
        };
        let rests =
            if rests.is_empty() { String::new() } else { format!(" (assumption {})", rests.join(", ")) };
        line(mark, &format!("{}{rests}", one_line(&guarantee.name)));
    }
    text
}
