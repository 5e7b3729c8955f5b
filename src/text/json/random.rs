//! Random JSON for the tests of this module.

pub use crate::random::Numbers;

impl Numbers {
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn text(&mut self, pieces: &[&[u8]], count: usize) -> Vec<u8> {
        (0..self.below(count))
            .flat_map(|_| self.pick(pieces).to_vec())
            .collect()
    }

    pub fn value(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => self.pick(&["null", "true", "false"]).into(),
            1 => self.pick(&["0", "-1", "12.50", "1e9", "-0.1E-7"]).into(),
            2..5 => self.string(),
            5 => {
                let items: Vec<_> = (0..self.below(4)).map(|_| self.value(depth - 1)).collect();
                format!(
                    "[{}{}]",
                    self.pick(&["", " "]),
                    items.join(self.pick(&[",", " , ", ",\n"]))
                )
            }
            _ => {
                let items: Vec<_> = (0..self.below(4))
                    .map(|_| format!("{} :{}", self.string(), self.value(depth - 1)))
                    .collect();
                format!("{{{}\t}}", items.join(self.pick(&[",", " , "])))
            }
        }
    }

    pub fn string(&mut self) -> String {
        let pieces = [
            "plain text",
            "a",
            "\\\"",
            "\\\\",
            "[",
            "}",
            ",",
            "\\u00e9",
            "é",
            "\\ud83d\\ude00",
            "😀",
            "\\n",
        ];
        let content: String = (0..self.below(7)).map(|_| self.pick(&pieces)).collect();
        format!("\"{content}\"")
    }
}
