//! Values that stand in a plan's file as text: single ones, and lists of lines.

/// A value that is kept as its text.
pub mod text_value {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A list of values that are kept as their lines.
pub mod text_lines {
    use std::fmt::Display;
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(values: &[impl Display], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    /// Parsed one by one, so that an error is found at its own line.
    struct TextLine<T>(T);

    impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for TextLine<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor<T>(PhantomData<T>);
            impl<T: FromStr<Err: Display>> de::Visitor<'_> for Visitor<T> {
                type Value = TextLine<T>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a line of text")
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<TextLine<T>, E> {
                    text.parse().map(TextLine).map_err(de::Error::custom)
                }
            }
            deserializer.deserialize_str(Visitor(PhantomData))
        }
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<T>, D::Error> {
        let lines: Vec<TextLine<T>> = Vec::deserialize(d)?;
        Ok(lines.into_iter().map(|line| line.0).collect())
    }
}
