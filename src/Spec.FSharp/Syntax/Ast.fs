/// A spec as written: one tree for `.cnn` and YAML, before any name is looked up.
namespace CnnSpec.Syntax

open CnnSpec.Text

type Ident = { Name: string; Span: Span }

type BinaryOperator =
    | Add
    | Subtract
    | Multiply
    | Divide
    | Remainder
    | Power
    | Equal
    | NotEqual
    | Less
    | LessEqual
    | Greater
    | GreaterEqual
    | And
    | Or

type UnaryOperator =
    | Negate
    | Not

type Expr = { Kind: ExprKind; Span: Span }

and ExprKind =
    /// A number's text as written rides along, so that printing gives back `50_000`, and `1e-3` and not `0.001`.
    | IntLiteral of value: int64 * text: string
    | FloatLiteral of value: float * text: string
    | BoolLiteral of bool
    | NoneLiteral
    /// Text with `{expression}` holes.
    | StringLiteral of StringPart list
    | ListLiteral of Expr list
    | MapLiteral of (Expr * Expr) list
    | Name of string
    | Unary of UnaryOperator * Expr
    | Binary of BinaryOperator * Expr * Expr
    | Conditional of condition: Expr * whenTrue: Expr * whenFalse: Expr
    | Call of Ident * Argument list
    | ElementAt of Expr * Expr
    /// `let name = value; rest`, in the body of a function.
    | LetIn of Ident * Expr * Expr

and StringPart =
    | Literal of string
    | Hole of Expr

and Argument = { Name: Ident option; Value: Expr }

/// `concat`, `add` and `mul`: how the outputs of several branches become one tensor.
type Combinator =
    | Concat
    | Sum
    | Product

/// What stands on a line of its own between items.
type Remark =
    /// A comment, without its `//`.
    | CommentLine of string
    | EmptyLine

/// Comments and line structure travel with what they stand at, so that formatting keeps them.
type Trivia =
    {
        Above: Remark list
        /// The comment behind it on the same line.
        Behind: string option
        /// It stands on the line of the item before it, or of the brace that opens its body: `conv(6, kernel=5); act`.
        Joined: bool
    }

type Body =
    {
        Statements: Statement list
        /// Comments after the last statement.
        Trailing: Remark list
        Span: Span
    }

and Statement =
    {
        Kind: StatementKind
        /// `label: statement` names the weights inside; text with holes may compute it.
        Label: Expr option
        /// `statement as name` names its output tensor; `split` gives several.
        Outputs: Ident list
        Span: Span
        Trivia: Trivia
    }

and StatementKind =
    | Input of Expr list
    | Let of Ident * Expr
    | Assert of condition: Expr * message: Expr option
    /// An operator, a block, a parameter that holds an operator, or a tensor's name, with or without parentheses.
    | Apply of Ident * Argument list option
    | Repeat of count: Expr * index: Ident option * Body
    | For of item: Ident * index: Ident option * items: Expr * Body
    | If of (Expr * Body) list * otherwise: Body option
    | Combine of Combinator * Argument list * Body
    | Group of Body
    /// A head that exists in training only.
    | Auxiliary of Argument list * Body
    /// Continue from a named tensor.
    | From of Ident
    | Initialise of Setting list * trailing: Remark list
    /// Something that did not parse and has been reported; what comes after it is not judged by its lack.
    | Broken

/// `key = value` of a recipe or of initialisation rules; keys may be dotted (`conv.weight`).
and Setting = { Key: Ident; Value: Expr; Trivia: Trivia }

type Parameter = { Name: Ident; Default: Expr option }

type Declaration = { Kind: DeclarationKind; Span: Span; Trivia: Trivia }

and DeclarationKind =
    | Import of path: string * Span
    | Constant of Ident * Expr
    | Function of Ident * Parameter list * Expr
    | Block of Ident * Parameter list * Body
    | Network of Ident * Parameter list * Body
    | Train of Ident option * Setting list * trailing: Remark list

type File =
    {
        Source: Source
        Declarations: Declaration list
        /// Comments after the last declaration.
        Trailing: Remark list
    }

[<RequireQualifiedAccess>]
module File =
    let empty source =
        { Source = source; Declarations = []; Trailing = [] }

[<RequireQualifiedAccess>]
module Trivia =
    let none = { Above = []; Behind = None; Joined = false }

[<RequireQualifiedAccess>]
module BinaryOperator =

    /// Spelling, precedence (higher binds tighter) and operator, in one table for parser and printer.
    /// `**` associates to the right, all others to the left.
    let table =
        [
            "or", 1, Or
            "and", 2, And
            "==", 3, Equal
            "!=", 3, NotEqual
            "<=", 4, LessEqual
            ">=", 4, GreaterEqual
            "<", 4, Less
            ">", 4, Greater
            "+", 5, Add
            "-", 5, Subtract
            "*", 6, Multiply
            "/", 6, Divide
            "%", 6, Remainder
            "**", 8, Power
        ]

    /// Prefix `-` and `not` bind tighter than `*` and looser than `**`.
    let unaryPrecedence = 7

    let spelling operator =
        table |> List.pick (fun (text, _, op) -> if op = operator then Some text else None)

    let precedence operator =
        table |> List.pick (fun (_, level, op) -> if op = operator then Some level else None)

[<RequireQualifiedAccess>]
module Combinator =

    let table = [ "concat", Concat; "add", Sum; "mul", Product ]

    let name combinator =
        table |> List.pick (fun (text, c) -> if c = combinator then Some text else None)

[<RequireQualifiedAccess>]
module Keyword =

    /// Words that cannot name anything.
    let reserved =
        set
            [
                "network"
                "block"
                "fn"
                "import"
                "train"
                "input"
                "let"
                "assert"
                "repeat"
                "for"
                "in"
                "if"
                "else"
                "then"
                "as"
                "from"
                "aux"
                "init"
                "concat"
                "add"
                "mul"
                "and"
                "or"
                "not"
                "true"
                "false"
                "none"
            ]

    let isWord (text: string) =
        text <> ""
        && (System.Char.IsLetter text[0] || text[0] = '_')
        && text |> Seq.forall (fun c -> System.Char.IsLetterOrDigit c || c = '_')

    /// Whether the text can stand where the grammar wants a name.
    let isName text =
        isWord text && not (reserved.Contains text)
