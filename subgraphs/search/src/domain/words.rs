//! Words of texts and queries.

/// The words of a text in lower case, split at what is neither letter nor digit.
pub fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// A title with the words that begin as one of the query's do in `<em>`, and everything else escaped for HTML; `None`
/// where no word does.
pub fn highlight(title: &str, query: &[String]) -> Option<String> {
    let mut marked = String::with_capacity(title.len() + 16);
    let mut any = false;
    let mut rest = title;
    while let Some(begin) = rest.find(char::is_alphanumeric) {
        escape(&rest[..begin], &mut marked);
        let word = &rest[begin..];
        let end = word.find(|character: char| !character.is_alphanumeric()).unwrap_or(word.len());
        let lower = word[..end].to_lowercase();
        if query.iter().any(|token| lower.starts_with(token.as_str())) {
            any = true;
            marked.push_str("<em>");
            marked.push_str(&word[..end]);
            marked.push_str("</em>");
        } else {
            marked.push_str(&word[..end]);
        }
        rest = &word[end..];
    }
    escape(rest, &mut marked);
    any.then_some(marked)
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_words_are_marked_and_markup_is_escaped() {
        let query = tokens("OAK tab");
        assert_eq!(highlight("Oak <b> Table", &query).unwrap(), "<em>Oak</em> &lt;b&gt; <em>Table</em>");
        assert_eq!(highlight("Walnut Chair", &query), None);
        assert_eq!(highlight("بلوط طاولة", &tokens("طاولة")).unwrap(), "بلوط <em>طاولة</em>");
    }
}
