//! What a proof may spend, and the error that names what ran out.
//!
//! Some policies are exponential by nature. Each source of growth has a bound of its own, so that the report can
//! name it, and say what to simplify.

/// What [`analyze`](super::analyze) may spend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Nodes of the decision diagrams, 20 bytes each.
    pub nodes: usize,
    /// Binary variables that all facts together are written in. (The diagrams' operations recurse once a variable.)
    pub variables: usize,
    /// States of the automata that read strings.
    pub automaton_states: usize,
    /// Stretches of time within which all tests of `now` and of stamps behave alike.
    pub time_cells: usize,
    /// States of a login between its steps.
    pub login_states: usize,
    /// How deep conditions and statements may be nested, definitions and rules expanded.
    pub depth: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            nodes: 1 << 22,
            variables: 4096,
            automaton_states: 200_000,
            time_cells: 50_000,
            login_states: 20_000,
            depth: 1_000,
        }
    }
}

/// A budget that was too small.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BudgetExceeded {
    /// [`Budget::nodes`]
    #[error("its conditions combine in more ways than {limit} nodes of a decision diagram hold")]
    Nodes {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::variables`]
    #[error("its facts need more than {limit} binary variables")]
    Variables {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::automaton_states`]
    #[error("its tests of strings need an automaton of more than {limit} states")]
    AutomatonStates {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::time_cells`]
    #[error("its tests of times and ages cut the time line into more than {limit} pieces")]
    TimeCells {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::login_states`]
    #[error("its steps lead to more than {limit} different states of a login")]
    LoginStates {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::login_states`], when a login that was found is played over plain values.
    #[error("a login was found that breaks a rule, but its steps can't be played within {limit} states")]
    Replay {
        /// The budget.
        limit: usize,
    },
    /// [`Budget::depth`]
    #[error("its conditions and statements are nested more than {limit} deep")]
    Depth {
        /// The budget.
        limit: usize,
    },
}

impl BudgetExceeded {
    /// What would make the policy smaller.
    pub fn advice(self) -> &'static str {
        match self {
            BudgetExceeded::Nodes { .. } => {
                "let each rule test few facts, and end a case with `stop` so that later rules don't multiply with it"
            }
            BudgetExceeded::Variables { .. } => "test fewer facts, or fewer constants of a list",
            BudgetExceeded::AutomatonStates { .. } => {
                "replace `contains` by `starts with`, `ends with` or `==` where a string is tested many times"
            }
            BudgetExceeded::TimeCells { .. } => {
                "use fewer different windows and instants beside `weekday` and `hour`"
            }
            BudgetExceeded::LoginStates { .. } | BudgetExceeded::Replay { .. } => {
                "offer fewer factors in each command, or use fewer different windows"
            }
            BudgetExceeded::Depth { .. } => "nest definitions and rules less deeply",
        }
    }
}

/// A result that a budget may cut short.
pub(super) type Limited<T> = Result<T, BudgetExceeded>;
