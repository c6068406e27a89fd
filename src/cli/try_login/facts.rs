//! Asking for the facts that a login looks at, when it first does.

use std::collections::BTreeSet;

use stepup::check::policy::{Absence, PresenceId, Type, TypedPolicy, Variable, VariableId};
use stepup::diagnostic::render::one_line;
use stepup::play::{
    Player, World, WrongAnswer, only_variable_of, path_text, read_factors, read_performed, read_value, wanted,
};
use stepup::trace::{FactValue, Looked, Words};

use super::Stop;
use super::talk::Talk;

/// What nobody has said yet.
pub(super) struct Questions {
    untold: BTreeSet<Looked>,
}

/// What to ask, and what counts without an answer.
struct Question<T> {
    text: String,
    /// What Enter takes, and the end of the input.
    otherwise: Option<T>,
}

impl Questions {
    /// Nothing is known of the login.
    pub(super) fn all(policy: &TypedPolicy) -> Questions {
        let variables = policy.variables.keys().map(Looked::Variable);
        let presences = policy.presences.keys().map(Looked::Presence);
        let untold = variables.chain(presences).chain([Looked::Enrolled, Looked::Performed]).collect();
        Questions { untold }
    }

    /// The facts that an event lacks, and that have no default.
    pub(super) fn missing(policy: &TypedPolicy, world: &World) -> Questions {
        let is_missing = |variable: &VariableId| match policy.variables[*variable].absence {
            Absence::Default(_) => false,
            Absence::Refused => true,
            Absence::Tracked(presence) => world.event.presences.get(&presence) == Some(&true),
        };
        let lacking = policy.variables.keys().filter(|id| !world.event.variables.contains_key(id));
        Questions { untold: lacking.filter(is_missing).map(Looked::Variable).collect() }
    }

    /// Asks for what the next step looks at, one after the other: each answer may change what that is.
    pub(super) fn ask(
        &mut self,
        policy: &TypedPolicy,
        player: &mut Player<'_>,
        talk: &mut Talk,
    ) -> Result<(), Stop> {
        while let Some(run) = player.look_ahead() {
            let Some(looked) = run.looked.iter().find(|looked| self.untold.contains(looked)) else { break };
            let world = &mut player.world;
            match looked {
                Looked::Variable(variable) => self.ask_variable(policy, variable, world, talk)?,
                Looked::Presence(presence) => match only_variable_of(policy, presence) {
                    Some(variable) => self.ask_variable(policy, variable, world, talk)?,
                    None => self.ask_presence(policy, presence, world, talk)?,
                },
                Looked::Performed => ask_performed(policy, world, talk)?,
                Looked::Enrolled => self.ask_enrolled(policy, world, talk)?,
                Looked::Passed | Looked::Now => {}
            }
            self.untold.remove(&looked);
        }
        Ok(())
    }

    /// Asks for the enrolled factors, unless they are known. Every login needs them.
    pub(super) fn ask_enrolled(
        &mut self,
        policy: &TypedPolicy,
        world: &mut World,
        talk: &mut Talk,
    ) -> Result<(), Stop> {
        if self.untold.remove(&Looked::Enrolled) {
            let text = "enrolled (factors with commas between them) [none]".to_owned();
            let question = Question { text, otherwise: Some(0) };
            world.event.enrolled = question.ask(talk, |answer| read_factors(policy, answer))?;
        }
        Ok(())
    }

    fn ask_variable(
        &mut self,
        policy: &TypedPolicy,
        variable: VariableId,
        world: &mut World,
        talk: &mut Talk,
    ) -> Result<(), Stop> {
        let row = &policy.variables[variable];
        let presence = match row.absence {
            Absence::Tracked(presence) => Some(presence),
            Absence::Refused | Absence::Default(_) => None,
        };
        // What stands under something that is known to be there is there too.
        let is_there = presence.is_some_and(|at| !self.untold.contains(&Looked::Presence(at)));
        let must_be =
            |text: &str| WrongAnswer { text: text.to_owned(), wanted: wanted(policy, &row.ty), near: None };
        let value = value_question(policy, row, world.event.variables.get(&variable), is_there).ask(
            talk,
            |answer| match read_value(policy, row, answer)? {
                None if is_there => Err(must_be(answer)),
                value => Ok(value),
            },
        )?;
        self.untold.remove(&Looked::Variable(variable));
        match value {
            Some(value) => {
                world.set(policy, variable, value);
                if let Some(presence) = presence {
                    self.is_there(policy, presence);
                }
            }
            None => world.set_absent(policy, variable),
        }
        if let Some(presence) = presence {
            self.untold.remove(&Looked::Presence(presence));
        }
        Ok(())
    }

    /// Asks whether something is there that several facts stand under.
    fn ask_presence(
        &mut self,
        policy: &TypedPolicy,
        presence: PresenceId,
        world: &mut World,
        talk: &mut Talk,
    ) -> Result<(), Stop> {
        let path = path_text(&policy.presences[presence].path);
        let text = format!("is `{}` there? (yes or no) [no]", one_line(&path));
        let is_there = Question { text, otherwise: Some(false) }.ask(talk, |answer| match answer {
            "yes" | "y" | "true" => Ok(true),
            "no" | "n" | "false" | "absent" => Ok(false),
            other => Err(WrongAnswer { text: other.to_owned(), wanted: "yes or no".to_owned(), near: None }),
        })?;
        if is_there {
            world.appear(policy, presence);
            self.is_there(policy, presence);
        }
        self.untold.remove(&Looked::Presence(presence));
        Ok(())
    }

    /// What is there, and all that it stands under, is known.
    fn is_there(&mut self, policy: &TypedPolicy, presence: PresenceId) {
        let above = std::iter::successors(Some(presence), |at| policy.presences[*at].parent);
        for presence in above {
            self.untold.remove(&Looked::Presence(presence));
        }
    }
}

/// The question for a variable's value; `default` is what it has before anybody says.
fn value_question(
    policy: &TypedPolicy,
    row: &Variable,
    default: Option<&FactValue>,
    is_there: bool,
) -> Question<Option<FactValue>> {
    let (bracket, otherwise) = match (&row.absence, &row.ty) {
        (Absence::Default(_), _) => {
            let told = default.map(|value| Words { policy }.value(row, value));
            (told.map(|told| if told == "[]" { "none".to_owned() } else { told }), Some(None))
        }
        (Absence::Tracked(_), _) if !is_there => (Some("absent".to_owned()), Some(None)),
        (_, Type::TextList) => (Some("none".to_owned()), Some(Some(FactValue::TextList(Vec::new())))),
        (_, Type::FactorSet) => (Some("none".to_owned()), Some(Some(FactValue::FactorSet(0)))),
        _ => (None, None),
    };
    let bracket = bracket.map(|bracket| format!(" [{}]", one_line(&bracket))).unwrap_or_default();
    Question { text: format!("{} ({}){bracket}", row.name, wanted(policy, &row.ty)), otherwise }
}

fn ask_performed(policy: &TypedPolicy, world: &mut World, talk: &mut Talk) -> Result<(), Stop> {
    let text = "performed before this login (such as otp 3h ago, phone 2d ago) [none]".to_owned();
    let question = Question { text, otherwise: Some(Vec::new()) };
    let performed = question.ask(talk, |answer| read_performed(policy, answer))?;
    let now = world.event.now;
    world.event.performed =
        performed.into_iter().map(|(factor, age)| (factor, now.saturating_sub(age))).collect();
    Ok(())
}

impl<T> Question<T> {
    /// Asks until the answer is one.
    fn ask(self, talk: &mut Talk, read: impl Fn(&str) -> Result<T, WrongAnswer>) -> Result<T, Stop> {
        loop {
            let answer = talk.ask(&self.text);
            if answer.as_deref().unwrap_or("").is_empty()
                && let Some(otherwise) = self.otherwise
            {
                return Ok(otherwise);
            }
            let Some(answer) = answer else {
                return Err(Stop::Usage(format!("the input has ended without an answer to: {}", self.text)));
            };
            if answer.is_empty() {
                talk.say("  there is no default");
                continue;
            }
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(wrong) => talk.say(&format!("  {}", one_line(&wrong.to_string()))),
            }
        }
    }
}
