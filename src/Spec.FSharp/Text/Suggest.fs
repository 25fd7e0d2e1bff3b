namespace CnnSpec.Text

/// "Did you mean …?" for misspelt names.
[<RequireQualifiedAccess>]
module Suggest =

    /// Edit distance with transpositions (optimal string alignment): how many single-character insertions, deletions,
    /// substitutions or swaps of neighbours turn one word into the other.
    let distance (left: string) (right: string) =
        let table = Array2D.zeroCreate (left.Length + 1) (right.Length + 1)

        for i in 0 .. left.Length do
            table[i, 0] <- i

        for j in 0 .. right.Length do
            table[0, j] <- j

        for i in 1 .. left.Length do
            for j in 1 .. right.Length do
                let substitution = if left[i - 1] = right[j - 1] then 0 else 1

                let best =
                    min (min (table[i - 1, j] + 1) (table[i, j - 1] + 1)) (table[i - 1, j - 1] + substitution)

                let swapped =
                    i > 1 && j > 1 && left[i - 1] = right[j - 2] && left[i - 2] = right[j - 1]

                table[i, j] <- if swapped then min best (table[i - 2, j - 2] + 1) else best

        table[left.Length, right.Length]

    /// Longer words than this are not compared: a name is short, and a file may hold anything.
    let private longestName = 64

    let private commonPrefix (left: string) (right: string) =
        Seq.zip left right |> Seq.takeWhile (fun (a, b) -> a = b) |> Seq.length

    /// The candidate nearest to `name`, where it is near enough to be a slip: within a third of its letters, equal once
    /// case and separators are ignored, or (`cifar`, `convolution`) one the beginning of the other.
    let nearest (name: string) (candidates: string seq) =
        let fold (word: string) =
            word.ToLowerInvariant().Replace("_", "").Replace("-", "")

        if name.Length > longestName then
            None
        else
            candidates
            |> Seq.distinct
            |> Seq.filter (fun candidate -> candidate <> name && candidate.Length <= longestName)
            |> Seq.choose (fun candidate ->
                let asked, known = fold name, fold candidate
                let edits = distance (name.ToLowerInvariant()) (candidate.ToLowerInvariant())
                let shared = commonPrefix asked known

                if asked = known then
                    Some(0, candidate)
                elif edits <= max 1 (min name.Length candidate.Length / 3) then
                    Some(edits, candidate)
                elif shared >= 3 && shared = min asked.Length known.Length then
                    // Any slip of the pen is likelier.
                    Some(longestName + max asked.Length known.Length - shared, candidate)
                else
                    None)
            // Of two at the same distance the one that begins alike: slips come late in a word.
            |> Seq.sortBy (fun (edits, candidate) -> edits, -(commonPrefix name candidate), candidate)
            |> Seq.tryHead
            |> Option.map snd
