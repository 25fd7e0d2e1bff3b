namespace CnnSpec.Text

/// A spec's text and where it came from. Columns and lines are counted from 1, offsets from 0.
type Source = { Path: string; Text: string }
