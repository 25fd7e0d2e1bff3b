namespace CnnSpec.Elaborate

open CnnSpec.Text

/// Raised where a spec asks for more work than any network needs; caught where elaboration began.
exception internal BudgetExceeded of Diagnostic

/// What one compilation may spend, so that no spec can hang or exhaust the machine.
type Budget() =

    /// Layers in one network; the deepest published ones have a few thousand.
    static member MostLayers = 50_000
    /// Statements run, expressions evaluated, and characters or items made.
    static member MostSteps = 2_000_000
    /// What a complaint costs, in steps.
    static member Complaint = 500
    /// What applying an operator costs, in steps, next to its arguments: it is sought by name and gets a path.
    static member Application = 8
    /// Blocks inside blocks, functions inside functions.
    static member DeepestCalls = 100

    member val private Steps = 0 with get, set

    member private _.Stop(span, message, help) =
        raise (BudgetExceeded(Diagnostic.error "E0211" span message |> Diagnostic.withHelp help))

    member this.Spend(span: Span, steps: int) =
        this.Steps <- this.Steps + steps

        if this.Steps > Budget.MostSteps || this.Steps < 0 then
            this.Stop(
                span,
                $"this spec takes more than {Budget.MostSteps} steps to expand",
                "check the counts of its loops"
            )

    /// Looking through a whole value.
    member this.Spend(span: Span, value: Value) =
        match value with
        | Int _
        | Float _
        | Bool _ -> ()
        | value -> this.Spend(span, Value.size Budget.MostSteps value)

    member this.Layer(span: Span, count: int) =
        if count > Budget.MostLayers then
            this.Stop(span, $"this network has more than {Budget.MostLayers} layers", "check the counts of its loops")

    member this.Call(span: Span, depth: int, name: string) =
        if depth > Budget.DeepestCalls then
            this.Stop(
                span,
                $"'{name}' calls itself, or calls nest more than {Budget.DeepestCalls} deep",
                "end the recursion with an if, or use repeat or for"
            )
