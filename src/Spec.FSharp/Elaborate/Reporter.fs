namespace CnnSpec.Elaborate

open System.Collections.Generic
open CnnSpec.Text

/// What is wrong with a spec, gathered while it is compiled: nothing twice, and no more than anyone would read.
type Reporter(syntaxErrors: Diagnostic list) =
    let found = ResizeArray<Diagnostic> syntaxErrors
    let told = HashSet<struct (string * Span)>()

    /// Whether declarations may be missing, because a file that was imported could not be read.
    member val MissesDeclarations = false with get, set

    /// What one phase found, as a whole.
    member _.Add(diagnostics: Diagnostic list) = found.AddRange diagnostics

    /// What is found while a network is expanded, where loops and blocks meet the same mistake again and again.
    member this.Tell(diagnostic: Diagnostic) =
        let mayBeDeclaredElsewhere = this.MissesDeclarations && diagnostic.Code = "E0201"

        if not mayBeDeclaredElsewhere && told.Add(struct (diagnostic.Code, diagnostic.Primary.Span)) then
            if found.Count >= Diagnostic.most then
                raise (BudgetExceeded diagnostic)

            found.Add diagnostic

    /// Runs what may cost more than any network needs; that it did is then the last diagnostic.
    member _.WithinBudget(work: unit -> 'a list) : 'a list =
        try
            work ()
        with BudgetExceeded diagnostic ->
            found.Add diagnostic
            []

    member _.HasErrors = found.Exists Diagnostic.isError

    /// All of them, those of the file itself first.
    member _.InSourceOrder(path: string) = Diagnostic.inSourceOrder path found
