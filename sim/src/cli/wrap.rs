//! Wrapping of stories into lines, for the terminal and for files.

/// Wraps a text at [`WIDTH`] columns; words are never split.
pub fn wrapped(story: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in story.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_told_in_lines_and_loses_no_word() {
        let story = "word ".repeat(60) + &"x".repeat(140);
        let told = wrapped(&story);
        assert!(told.lines().all(|line| line.len() <= WIDTH || line.len() == 140), "{told}");
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(told.split_whitespace().eq(story.split_whitespace()));
    }
}
