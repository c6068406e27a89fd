//! A compiled flow as Auth0 Actions.

use super::{Compiled, Report};
use crate::backend::auth0::{self, Emitted};

/// A flow's Actions, and what there is to say of them.
#[derive(Clone, Debug)]
pub struct Auth0Actions {
    /// The Actions, and the folder that the Deploy CLI imports.
    pub emitted: Emitted,
    /// Warnings: where Auth0 may do less than the policy says.
    pub report: Report,
}

impl Compiled {
    /// The same flow as Auth0 Actions: one a step, in JavaScript that needs nothing beside itself.
    ///
    /// ```
    /// use stepup::Compiler;
    ///
    /// let compiled = Compiler::new().compile([("admins.stepup", "if user.isAdmin then challenge otp")])?;
    /// let actions = compiled.auth0_actions()?.emitted;
    /// assert!(actions.actions[0].code.contains(r#"api.authentication.challengeWith({ type: "otp" });"#));
    /// assert_eq!(actions.files()[0].path, "actions/admins/code.js");
    /// # Ok::<(), stepup::Report>(())
    /// ```
    ///
    /// # Errors
    /// The report, when the flow says something that Auth0 can't.
    pub fn auth0_actions(&self) -> Result<Auth0Actions, Report> {
        let sources = self.report.sources();
        let (emitted, diagnostics) = auth0::emit(&self.typed, sources, self.policy.digest());
        let report = Report::of(sources, diagnostics);
        match emitted {
            Some(emitted) => Ok(Auth0Actions { emitted, report }),
            None => Err(report),
        }
    }
}
