//! A batch decides what slots decide, login by login, whatever the columns' encodings; and says what it can't decide.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use stepup::arrow_array::builder::{
    BooleanBuilder, GenericListBuilder, GenericStringBuilder, LargeStringBuilder, ListBuilder, StringBuilder,
    StringDictionaryBuilder, StringViewBuilder, StructBuilder, TimestampMicrosecondBuilder,
};
use stepup::arrow_array::types::{Int8Type, Int32Type, UInt16Type};
use stepup::arrow_array::{
    Array, ArrayRef, DurationMillisecondArray, DurationSecondArray, Int16Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use stepup::runtime::{RowError, SetError};
use stepup::{BatchError, Compiler, DecideError, Engine, Facts, Policy};

/// A value of each type, present or absent in each way.
const FACTS: &str = r#"
fact admin: bool = event.user.app_metadata.admin default false
fact level: enum(low < middle < high) = event.user.app_metadata.level
fact tier: enum(free, paid)? = event.user.app_metadata.tier?
fact logins: int = event.user.app_metadata.logins? default 3
fact created: time = event.user.created_at
fact pause: duration = event.user.app_metadata.pause? default 10s
fact address: ip = event.request.ip
fact preferred: factor? = event.user.app_metadata.preferred?
fact spare: set<factor> = event.user.app_metadata.spare? default []
fact groups: list<string> = event.user.app_metadata.groups? default []
fact mail: string? = event.user.email?
fact second: string? = event.user.app_metadata.mail?
fact org: string? = event.organization?.name
fact plan: string? = event.organization?.metadata.plan?
"#;

/// Everything that a policy can ask of a value. Each is a policy of its own, since a flow has four commands.
const STEPS: [&str; 3] = [
    r#"
step first {
  if admin and level >= middle then challenge otp
  if (tier ?? free) == paid then challenge email
  if logins > 10 or created < 2025-01-01T00:00:00Z then enroll otp
  if pause > 1m then enroll phone
}
"#,
    r#"
step second {
  if address in 10.0.0.0/8 then challenge phone
  if groups contains "staff" and not groups contains "trusted" then challenge otp
  if spare contains otp or (preferred is present and preferred == otp) then enroll otp
  if mail is present and mail ends with "@example.com" then challenge any of enrolled
}
"#,
    r#"
step third {
  if mail is present and second is present and mail == second then deny "twice"
  if org is present and org == "acme" then challenge otp
  if org is present and plan is present and plan starts with "ent" then challenge email
  if performed(otp) within 5m and not performed(email) in this login then challenge push-notification
  if hour(now) > 20 then challenge phone
}
"#,
];

/// The facts of a login; `None` is null.
#[derive(Clone, Debug)]
struct Login {
    admin: Option<bool>,
    level: Option<&'static str>,
    tier: Option<&'static str>,
    logins: Option<i64>,
    created: Option<i64>,
    pause: Option<i64>,
    address: Option<&'static str>,
    preferred: Option<&'static str>,
    spare: Option<Vec<&'static str>>,
    groups: Option<Vec<&'static str>>,
    mail: Option<&'static str>,
    other: Option<&'static str>,
    org: Option<&'static str>,
    plan: Option<&'static str>,
    enrolled: Option<Vec<&'static str>>,
    performed: Option<Vec<(&'static str, i64)>>,
    in_login: Option<Vec<&'static str>>,
    now: Option<i64>,
}

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A value, or none once in so many.
    fn some<T: Copy>(&mut self, values: &[T], none: usize) -> Option<T> {
        (self.below(none) != 0).then(|| self.of(values))
    }

    fn list<T: Copy>(&mut self, values: &[T], none: usize) -> Option<Vec<T>> {
        (self.below(none) != 0).then(|| (0..self.below(7)).map(|_| self.of(values)).collect())
    }
}

const FACTORS: [&str; 5] = [
    "otp",
    "email",
    "webauthn-roaming",
    "carrier-pigeon",
    "a factor with a name longer than thirty-two bytes",
];
const MAILS: [&str; 5] =
    ["a@example.com", "b@example.com", "c@EXAMPLE.com", "", "no mail, and longer than 32 bytes: é"];
const NOW: i64 = 1_800_000_000_123;

fn login(random: &mut Random) -> Login {
    const RARE: usize = 40;
    let org = random.some(&["acme", "other"], 3);
    Login {
        admin: random.some(&[true, false], 5),
        level: random.some(&["low", "middle", "high", "high", "unheard"], RARE),
        tier: random.some(&["free", "paid", "unheard"], 3),
        logins: random.some(&[-4, 10, 11, 1 << 52], 4),
        created: random.some(&[0, -1_500, 1_700_000_000_000, 1_790_000_000_999], RARE),
        pause: random.some(&[0, 60_000, 60_001, -7_500], 4),
        address: random.some(&["10.1.2.3", "192.0.2.1", "2001:db8::1", "10.0.0.0", "10.9.9.9", "none"], RARE),
        preferred: random.some(&FACTORS, 3),
        spare: random.list(&FACTORS, 3),
        groups: random.list(&["staff", "trusted", "x"], 3),
        mail: random.some(&MAILS, 4),
        other: random.some(&MAILS, 4),
        org,
        // Now and then, against the organization.
        plan: if random.below(20) == 0 {
            random.some(&["enterprise", "free"], 2)
        } else {
            org.and_then(|_| random.some(&["enterprise", "free"], 3))
        },
        enrolled: random.list(&FACTORS, RARE),
        performed: (random.below(RARE) != 0).then(|| {
            let uses = 0..random.below(4);
            uses.map(|_| (random.of(&FACTORS), NOW - random.of(&[0, 299_999, 300_001, 5]))).collect()
        }),
        in_login: random.list(&FACTORS, 4),
        now: random.some(&[NOW, NOW + 3_600_000, NOW + 40_000_000], RARE),
    }
}

/// Stores a login through slots, as a host would.
fn store(policy: &Policy, facts: &mut Facts, login: &Login) -> Result<(), SetError> {
    macro_rules! set {
        ($name:literal, $ty:ty, $value:expr) => {
            facts.set_or_absent(&policy.slot::<$ty>($name).unwrap(), $value)?
        };
    }
    facts.reset();
    let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
    set!("admin", bool, login.admin);
    set!("level", &str, login.level);
    set!("tier", &str, login.tier);
    set!("logins", i64, login.logins);
    set!("created", Timestamp, login.created.map(at));
    set!("pause", SignedDuration, login.pause.map(SignedDuration::from_millis));
    // What is no address, a host can't store.
    let address = login.address.map(|text| text.parse().map_err(|_| SetError::OutOfRange)).transpose()?;
    set!("address", IpAddr, address);
    set!("preferred", &str, login.preferred);
    set!("spare", &[&str], login.spare.as_deref());
    set!("groups", &[&str], login.groups.as_deref());
    set!("mail", &str, login.mail);
    set!("second", &str, login.other);
    set!("org", &str, login.org);
    set!("plan", &str, login.plan);
    if let Some(enrolled) = &login.enrolled {
        facts.set_enrolled(enrolled);
    }
    if let Some(performed) = &login.performed {
        let uses: Vec<_> = performed.iter().map(|(factor, stamp)| (*factor, at(*stamp))).collect();
        facts.set_performed(&uses);
    }
    if let Some(factors) = &login.in_login {
        facts.set_performed_in_login(factors);
    }
    if let Some(now) = login.now {
        facts.set_now(at(now));
    }
    Ok(())
}

/// How columns are encoded, in turn.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Small,
    Large,
    View,
    Dictionary,
    OtherDictionary,
}

const ENCODINGS: [Encoding; 5] =
    [Encoding::Small, Encoding::Large, Encoding::View, Encoding::Dictionary, Encoding::OtherDictionary];

fn texts<'t>(texts: impl Iterator<Item = Option<&'t str>>, encoding: Encoding) -> ArrayRef {
    macro_rules! build {
        ($builder:expr) => {{
            let mut builder = $builder;
            texts.for_each(|text| builder.append_option(text));
            Arc::new(builder.finish())
        }};
    }
    match encoding {
        Encoding::Small => build!(StringBuilder::new()),
        Encoding::Large => build!(LargeStringBuilder::new()),
        Encoding::View => build!(StringViewBuilder::new()),
        Encoding::Dictionary => build!(StringDictionaryBuilder::<Int8Type>::new()),
        Encoding::OtherDictionary => build!(StringDictionaryBuilder::<UInt16Type>::new()),
    }
}

fn lists<'t>(lists: impl Iterator<Item = Option<&'t Vec<&'static str>>>, encoding: Encoding) -> ArrayRef {
    macro_rules! build {
        ($builder:expr) => {{
            let mut builder = $builder;
            for list in lists {
                list.into_iter().flatten().for_each(|text| builder.values().append_value(text));
                builder.append(list.is_some());
            }
            Arc::new(builder.finish())
        }};
    }
    match encoding {
        Encoding::Small => build!(ListBuilder::new(StringBuilder::new())),
        Encoding::Large => {
            build!(GenericListBuilder::<i64, _>::new(GenericStringBuilder::<i32>::new()))
        }
        Encoding::View => build!(ListBuilder::new(StringViewBuilder::new())),
        Encoding::Dictionary => build!(ListBuilder::new(StringDictionaryBuilder::<Int32Type>::new())),
        Encoding::OtherDictionary => {
            build!(GenericListBuilder::<i64, _>::new(StringDictionaryBuilder::<UInt16Type>::new()))
        }
    }
}

fn uses(logins: &[Login]) -> ArrayRef {
    use stepup::arrow_array::builder::ArrayBuilder;
    let fields = {
        let pairs: Vec<(&str, ArrayRef)> = vec![
            ("factor", Arc::new(StringArray::from(vec![""]))),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0]))),
        ];
        RecordBatch::try_from_iter(pairs).unwrap().schema().fields().clone()
    };
    let builders: Vec<Box<dyn ArrayBuilder>> =
        vec![Box::new(StringBuilder::new()), Box::new(TimestampMicrosecondBuilder::new())];
    let mut list = ListBuilder::new(StructBuilder::new(fields, builders));
    for login in logins {
        for (factor, stamp) in login.performed.iter().flatten() {
            let pairs = list.values();
            pairs.field_builder::<StringBuilder>(0).unwrap().append_value(factor);
            pairs.field_builder::<TimestampMicrosecondBuilder>(1).unwrap().append_value(stamp * 1000 + 7);
            pairs.append(true);
        }
        list.append(login.performed.is_some());
    }
    Arc::new(list.finish())
}

fn batch(logins: &[Login], turn: usize) -> RecordBatch {
    let encoding = |column: usize| ENCODINGS[(turn + column) % ENCODINGS.len()];
    let text =
        |of: fn(&Login) -> Option<&'static str>, column| texts(logins.iter().map(of), encoding(column));
    let list =
        |of: fn(&Login) -> Option<&Vec<&'static str>>, column| lists(logins.iter().map(of), encoding(column));
    let number = |of: fn(&Login) -> Option<i64>| logins.iter().map(of).collect::<Vec<_>>();
    let mut admin = BooleanBuilder::new();
    logins.iter().for_each(|login| admin.append_option(login.admin));
    let created: ArrayRef = if turn.is_multiple_of(2) {
        Arc::new(
            TimestampMillisecondArray::from(number(|login| login.created)).with_timezone("Europe/Berlin"),
        )
    } else {
        let nanoseconds = number(|login| login.created.map(|created| created * 1_000_000));
        Arc::new(TimestampNanosecondArray::from(nanoseconds))
    };
    let columns: [(&str, ArrayRef); 18] = [
        ("admin", Arc::new(admin.finish())),
        ("level", text(|login| login.level, 0)),
        ("tier", text(|login| login.tier, 1)),
        ("logins", Arc::new(Int64Array::from(number(|login| login.logins)))),
        ("created", created),
        ("pause", Arc::new(DurationMillisecondArray::from(number(|login| login.pause)))),
        ("address", text(|login| login.address, 2)),
        ("preferred", text(|login| login.preferred, 3)),
        ("spare", list(|login| login.spare.as_ref(), 4)),
        ("groups", list(|login| login.groups.as_ref(), 0)),
        ("mail", text(|login| login.mail, 1)),
        ("second", text(|login| login.other, 2)),
        ("org", text(|login| login.org, 3)),
        ("plan", text(|login| login.plan, 4)),
        ("enrolled", list(|login| login.enrolled.as_ref(), 1)),
        ("performed", uses(logins)),
        ("performed in this login", list(|login| login.in_login.as_ref(), 2)),
        ("now", Arc::new(TimestampMillisecondArray::from(number(|login| login.now)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn compile(text: &str, engine: Engine) -> Policy {
    let compiled = Compiler::new().with_engine(engine).compile([("batch.stepup", text)]);
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

#[test]
fn a_batch_decides_what_slots_decide() {
    let mut random = Random(7);
    let (mut decided, mut refused) = (0, 0);
    let engines = [Engine::Native, Engine::Interpreter];
    for (engine, step) in engines.into_iter().flat_map(|engine| STEPS.map(|step| (engine, step))) {
        let policy = compile(&format!("{FACTS}{step}"), engine);
        let mut facts = policy.facts();
        for turn in 0..5 {
            // Not a multiple of any tile, and a slice that doesn't begin with the columns.
            let logins: Vec<Login> = (0..1_200 + turn).map(|_| login(&mut random)).collect();
            let (begin, len) = (turn * 3, logins.len() - turn * 5);
            let decisions = batch(&logins, turn).slice(begin, len);
            let decisions = policy.decide_batch(&decisions).unwrap();
            assert_eq!(decisions.len(), len);
            for (row, login) in logins[begin..begin + len].iter().enumerate() {
                let stored = store(&policy, &mut facts, login);
                for step in policy.steps() {
                    let words = decisions.words(step.name()).unwrap();
                    let at_once = decisions.decision(step.name(), row);
                    match stored.clone().map_err(|_| ()).and_then(|()| step.decide(&facts).map_err(drop)) {
                        Ok(singly) => {
                            assert_eq!(words.value(row), singly.word().0, "{login:?}");
                            assert!(words.is_valid(row), "{login:?}");
                            let [singly, at_once] = [singly, at_once.unwrap()]
                                .map(|decision| serde_json::to_string(&decision).unwrap());
                            assert_eq!(singly, at_once, "{login:?}");
                            decided += 1;
                        }
                        Err(()) => {
                            assert!(words.is_null(row), "{login:?}");
                            assert!(at_once.is_err(), "{login:?}");
                            refused += 1;
                        }
                    }
                }
            }
            let rows: Vec<usize> = decisions.refused().collect();
            let words = decisions.words(policy.steps().next().unwrap().name()).unwrap();
            assert!(rows.iter().all(|row| words.is_null(*row)) && rows.len() == words.null_count());
        }
    }
    assert!(decided > 20_000 && refused > 5_000, "both: {decided} and {refused}");
}

fn one_column(name: &str, values: impl Array + 'static) -> RecordBatch {
    RecordBatch::try_from_iter([(name, Arc::new(values) as ArrayRef)]).unwrap()
}

#[test]
fn a_column_of_no_fact_is_an_error_that_knows_what_was_meant() {
    let policy = compile("if user.isAdmin then challenge otp", Engine::Native);
    let unknown = policy.decide_batch(&one_column("user.isAdmn", Int64Array::from(vec![1]))).unwrap_err();
    assert_eq!(unknown.to_string(), "the policy has no fact `user.isAdmn`, did you mean `user.isAdmin`?");
    let wrong = policy.decide_batch(&one_column("user.isAdmin", Int64Array::from(vec![1]))).unwrap_err();
    assert_eq!(wrong.to_string(), "the column `user.isAdmin` has the type Int64, and booleans are needed");
}

#[test]
fn what_has_neither_column_nor_default_is_named() {
    let policy =
        compile("if client.id == \"a\" and hour(now) > 3 then challenge any of enrolled", Engine::Native);
    let events = one_column("enrolled", lists([Some(&vec!["otp"])].into_iter(), Encoding::Small));
    let missing = policy.decide_batch(&events).unwrap_err();
    let BatchError::Missing { names } = &missing else { panic!("{missing}") };
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["now", "client.id"]);
}

#[test]
fn two_columns_about_one_value_are_an_error() {
    let text = "fact a: int = event.user.x\nfact b: int = event.user.x\nif a > 4 or b > 3 then challenge otp";
    let columns: [(&str, ArrayRef); 2] =
        [("a", Arc::new(Int64Array::from(vec![1]))), ("b", Arc::new(Int64Array::from(vec![2])))];
    let policy = compile(text, Engine::Native);
    let twice = policy.decide_batch(&RecordBatch::try_from_iter(columns).unwrap());
    assert_eq!(twice.unwrap_err().to_string(), "the columns `a` and `b` are about the same value");
}

#[test]
fn a_number_of_any_width_is_the_same_number_and_one_out_of_range_refuses_its_row() {
    let policy =
        compile("fact n: int = event.user.n\nstep s { if n > 7 then challenge otp }", Engine::Native);
    let narrow = one_column("n", Int16Array::from(vec![7, 8, -8]));
    let narrow = policy.decide_batch(&narrow).unwrap();
    assert_eq!(narrow.words("s").unwrap().values().to_vec(), [0, 1, 0]);
    let wide = one_column("n", UInt64Array::from(vec![8, 1 << 53, u64::MAX]));
    let wide = policy.decide_batch(&wide).unwrap();
    assert_eq!(wide.refused().collect::<Vec<_>>(), [1, 2]);
    let error = wide.decision("s", 2).unwrap_err();
    assert_eq!(error, RowError::Value { column: "n".to_owned(), cause: SetError::OutOfRange });
}

#[test]
fn times_and_durations_of_any_unit_are_cut_to_milliseconds() {
    let text = "
        fact at: time = event.user.at
        fact long: duration = event.user.long? default 0s
        step s { if at < 1970-01-01T00:00:01Z then challenge otp if long > 1s { challenge email challenge phone } }";
    let policy = compile(text, Engine::Native);
    let decided = |at: ArrayRef, long: ArrayRef| {
        let events = RecordBatch::try_from_iter([("at", at), ("long", long)]).unwrap();
        let decisions = policy.decide_batch(&events).unwrap();
        let decision = |row| decisions.decision("s", row).map(|decision| decision.commands().count());
        [decision(0).ok(), decision(1).ok(), decision(2).ok()]
    };
    let long: ArrayRef = Arc::new(DurationSecondArray::from(vec![1, 2, i64::MAX]));
    let seconds = decided(Arc::new(TimestampSecondArray::from(vec![0, 1, 0])), long.clone());
    assert_eq!(seconds, [Some(1), Some(2), None], "one command by the time, two by the duration");
    let nanoseconds =
        decided(Arc::new(TimestampNanosecondArray::from(vec![999_999_999, 1_000_000_000, 0])), long);
    assert_eq!(nanoseconds, [Some(1), Some(2), None]);
}

#[test]
fn a_null_in_a_list_refuses_its_row() {
    let policy = compile("step s { if enrolled(otp) then challenge otp }", Engine::Native);
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("otp")]);
    list.append_value([Some("otp"), None]);
    let decisions = policy.decide_batch(&one_column("enrolled", list.finish())).unwrap();
    assert_eq!(decisions.refused().collect::<Vec<_>>(), [1]);
    let error = decisions.decision("s", 1).unwrap_err();
    assert_eq!(error.to_string(), "column `enrolled`: an element of the list is null");
}

#[test]
fn rows_and_steps_that_are_not_there_are_errors_and_an_empty_batch_is_none() {
    let policy = compile("step s { if user.isAdmin then challenge otp }", Engine::Native);
    let events = one_column("user.isAdmin", stepup::arrow_array::BooleanArray::from(vec![true]));
    let decisions = policy.decide_batch(&events).unwrap();
    assert!(decisions.words("t").is_none());
    assert_eq!(decisions.decision("t", 0).unwrap_err(), RowError::Decide(DecideError::UnknownStep));
    assert_eq!(decisions.decision("s", 1).unwrap_err(), RowError::NoSuchRow { rows: 1 });
    let none = policy.decide_batch(&events.slice(0, 0)).unwrap();
    assert!(none.is_empty() && none.words("s").unwrap().is_empty());
}

#[test]
fn a_policy_that_reads_nothing_decides_all_alike() {
    let policy = compile("step s { challenge otp }", Engine::Native);
    let events = one_column("user.isAdmin", stepup::arrow_array::BooleanArray::from(vec![None, Some(true)]));
    let decisions = policy.decide_batch(&events).unwrap();
    assert_eq!(decisions.words("s").unwrap().values().to_vec(), [1, 1]);
}
