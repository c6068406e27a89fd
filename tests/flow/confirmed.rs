//! Random policies as text: every login that examining finds, `Login` plays as found.

use super::common::choices::Choices;
use super::common::policy_text;
use super::{cases, generate};
use stepup::flow::Budget;
use stepup::{Compiler, Engine, Format, HumanStyle};

/// Guarantees over facts of every kind and all that a guarantee can say of an end.
const GUARANTEES: &str = r#"
guarantee "one prompt": always prompts <= 1
guarantee "few commands": completed implies commands < 3
guarantee "nobody fails": never failed
guarantee "nobody is denied": never denied
guarantee "admins": user.isAdmin implies enrolled(webauthn-roaming) or performed(otp) within 5s
guarantee "kept": initially enrolled(otp) and completed implies performed(otp) in this login
guarantee "fresh": any performed within 12h or initially enrolled is empty
guarantee "teams": clearance is present and clearance != public implies count(enrolled) > 1
guarantee "last": last performed is present and last performed in [otp, phone]
guarantee "times": age(user.created_at) < 30d implies not enrolled(phone)
"#;

/// A debug build panics where a login can't be replayed or played.
#[test]
fn whatever_is_found_of_random_policies_is_played_by_login() {
    // The largest of these flows take most of the time, and show nothing that the others don't.
    let budget = Budget { nodes: 1 << 18, ..Budget::default() };
    let compiler = Compiler::new().with_engine(Engine::Interpreter).with_budget(budget);
    let (mut examined, mut too_large, mut logins) = (0, 0, 0);
    let count = cases(200);
    for seed in 0..count {
        let mut random = generate::Random::new(seed);
        let bytes: Vec<u8> = (0..random.below(300)).map(|_| random.below(256) as u8).collect();
        let mut texts = policy_text::flow(&mut Choices(&bytes));
        if let Some(first) = texts.first_mut() {
            first.push_str(GUARANTEES);
        }
        let files: Vec<_> =
            texts.iter().enumerate().map(|(place, text)| (format!("{place}.stepup"), text)).collect();
        // A few texts don't have the types that they should.
        let Ok(found) = compiler.examine(files.iter().map(|(name, text)| (name, text))) else { continue };
        examined += 1;
        too_large += u64::from(found.analysis.unanswered.is_some());
        logins += found.analysis.logins().count() as u64;
        let report = found.compiled.report.render(Format::Human(HumanStyle::Plain));
        assert!(!report.contains("can't be confirmed"), "seed {seed}: {report}\n{}", texts.join("\n"));
    }
    println!("{count} policies: {examined} examined, {too_large} too large; {logins} logins played");
    assert!(
        examined * 10 >= count * 9 && too_large * 10 <= count,
        "{examined} examined, {too_large} too large"
    );
    assert!(logins >= 2 * examined, "{logins} logins of {examined} policies");
}
