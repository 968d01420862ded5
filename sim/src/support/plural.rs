//! So many of something, as people say it: one run, and two runs.

use std::fmt::Display;

pub fn counted<N: Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_are_many() {
        let said: Vec<String> = [0_u64, 1, 2].iter().map(|number| counted(*number, "run")).collect();
        assert_eq!(said, ["0 runs", "1 run", "2 runs"]);
    }
}
