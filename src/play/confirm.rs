//! A login that the proofs found, played once more on `Login`: nothing is reported that a server would not do.

use super::player::{Happening, Outcome as Played, PlayError, Player, Skip};
use super::world::{Clock, World};
use crate::check::policy::{End, TypedPolicy};
use crate::flow::{Login, Outcome, PlayedCommand, PlayedStep};
use crate::policy::Policy;

/// Plays a login as far as it was followed.
///
/// # Errors
/// When anything comes otherwise: a defect of stepup.
pub fn confirm(typed: &TypedPolicy, policy: &Policy, login: &Login) -> Result<(), PlayError> {
    let world = World { event: login.event.clone(), clock: Clock::Given };
    let mut player = Player::new(typed, policy, world);
    let mut steps = login.steps.iter().peekable();
    while let Some(step) = steps.next() {
        player.age_passed(&step.passed.iter().map(|passed| passed.age).collect::<Vec<_>>());
        begin(&mut player, step)?;
        let is_followed = steps.peek().is_some() || login.ended.is_some();
        for command in &step.commands {
            match play_command(&mut player, command, is_followed)? {
                Went::On => {}
                Went::NoFurther => return Ok(()),
            }
        }
    }
    let Some(ended) = &login.ended else { return Ok(()) };
    match (player.advance()?, ended.end) {
        (Happening::Ended { outcome: Played::Completed, .. }, End::Completed)
        | (Happening::Ended { outcome: Played::Denied(_), .. }, End::Denied)
        | (Happening::Ended { outcome: Played::Failed(_), .. }, End::Failed) => Ok(()),
        (other, wanted) => differs(&format!("the login should end as {wanted:?}, and {other:?} came")),
    }
}

fn begin(player: &mut Player<'_>, step: &PlayedStep) -> Result<(), PlayError> {
    let happening = player.advance()?;
    let Happening::Decided { step: found, run } = &happening else {
        return differs(&format!("a step should begin, and {happening:?} came"));
    };
    let executed = run.commands.iter().map(|executed| executed.command.span);
    if *found != step.step || !executed.eq(step.commands.iter().map(|command| command.span)) {
        return differs(&format!("other commands executed: {happening:?}"));
    }
    Ok(())
}

/// Whether a login is followed beyond a command.
enum Went {
    On,
    NoFurther,
}

fn play_command(
    player: &mut Player<'_>,
    command: &PlayedCommand,
    is_followed: bool,
) -> Result<Went, PlayError> {
    match &command.outcome {
        // Denials, a fifth command, and what comes after the place that was looked for.
        Outcome::NotShown => return Ok(if is_followed { Went::On } else { Went::NoFurther }),
        // The end is looked at afterwards.
        Outcome::Fails(_) if is_followed => return Ok(Went::On),
        _ => {}
    }
    let happening = player.advance()?;
    match (&command.outcome, &happening) {
        (Outcome::Passed { chosen, .. }, Happening::Prompt { .. }) => {
            player.choose(*chosen)?;
            Ok(Went::On)
        }
        (Outcome::Answered, Happening::Skipped { why: Skip::Answered(_), .. })
        | (Outcome::NothingLeft, Happening::Skipped { why: Skip::EverythingEnrolled, .. }) => Ok(Went::On),
        (Outcome::Asks(_), Happening::Prompt { .. })
        | (Outcome::Fails(_), Happening::Ended { outcome: Played::Failed(_), .. }) => Ok(Went::NoFurther),
        (wanted, other) => differs(&format!("{wanted:?} should come of a command, and {other:?} came")),
    }
}

fn differs<T>(what: &str) -> Result<T, PlayError> {
    Err(PlayError::Disagreement(what.to_owned()))
}
