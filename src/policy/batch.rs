//! Deciding for a whole population.

use arrow_array::RecordBatch;

use super::Policy;
use crate::runtime::{BatchDecisions, BatchError};

impl Policy {
    /// Decides all steps for each row of a batch, whose columns are named as facts are: *what would this policy ask of
    /// all our users?*
    ///
    /// - A column gives what a [slot](Self::slot) of its name takes. Bools are `Boolean`, ints any integers, times
    ///   `Timestamp` and durations `Duration` of any unit; strings, enums, factors and addresses are texts, as `Utf8`,
    ///   `LargeUtf8`, `Utf8View` or a `Dictionary` of them; lists and sets of factors are `List` or `LargeList` of
    ///   such texts.
    /// - `enrolled` and `performed in this login` are lists of the factors' names, `performed` is a list of structs of a
    ///   name and a timestamp, and `now` is a timestamp.
    /// - A null says that the event has no such value. A fact without a column has its default, if it has one.
    ///
    /// A row that can't be decided refuses no other. Dictionaries are fastest: each of their values is looked up once.
    /// A batch may be sliced, and the slices decided on several threads.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use stepup::Compiler;
    /// use stepup::arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
    ///
    /// let text = r#"if user.isAdmin or client.id == "payroll" then challenge otp"#;
    /// let policy = Compiler::new().compile([("admins.stepup", text)])?.policy;
    ///
    /// let admins: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None]));
    /// let clients: ArrayRef = Arc::new(StringArray::from(vec![Some("shop"), Some("shop"), Some("payroll"), None]));
    /// let events = RecordBatch::try_from_iter([("user.isAdmin", admins), ("client.id", clients)])?;
    ///
    /// let decisions = policy.decide_batch(&events)?;
    /// let asked = |row| decisions.decision("admins", row).map(|decision| decision.commands().count());
    /// assert_eq!([asked(0), asked(1), asked(2)], [Ok(1), Ok(0), Ok(1)]);
    /// assert_eq!(decisions.refused().collect::<Vec<_>>(), [3]);
    /// assert_eq!(asked(3).unwrap_err().to_string(), "column `client.id`: the fact `client.id` can't be absent");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a column is of no fact or has another type, two are about the same value, or what the policy reads has no
    /// column and no default.
    pub fn decide_batch(&self, events: &RecordBatch) -> Result<BatchDecisions<'_>, BatchError> {
        let steps = self.steps().map(|step| move |words: &[u64]| step.execution.decide(words));
        BatchDecisions::decide(self.interface(), events, &steps.collect::<Vec<_>>())
    }
}
