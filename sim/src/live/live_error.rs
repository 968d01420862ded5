//! Errors that keep a live run from being carried out, each a sentence that says what to do.

/// A live run that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("`{0}`: {1}")]
    File(String, std::io::Error),
    #[error("the store cannot be opened: {0}")]
    Store(String),
    #[error("{0}")]
    Server(String),
    #[error("{0}")]
    Url(&'static str),
    #[error("{0} could not be started: {1}")]
    Child(String, std::io::Error),
    #[error("the journal of {0} cannot be read, line {1}: {2}")]
    Journal(String, usize, serde_json::Error),
    #[error("{0}: this command is for the program itself, which starts its workers and hosts by it")]
    NotForPeople(&'static str),
    #[error("the machine does not let this program do what it must: {0}")]
    Machine(std::io::Error),
}

impl LiveError {
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let shown = path.display().to_string();
        move |cause| Self::File(shown, cause)
    }
}
