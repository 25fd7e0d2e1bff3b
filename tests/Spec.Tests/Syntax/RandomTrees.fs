/// Random files: every kind of declaration, statement and expression, with comments everywhere.
module CnnSpec.Spec.Tests.Syntax.RandomTrees

open System
open CnnSpec.Text
open CnnSpec.Syntax
open FsCheck
open FsCheck.FSharp

let private nowhere = Span.create (Source.create "random.cnn" "") 0 0

let private expr kind : Expr = { Kind = kind; Span = nowhere }

/// Among them words that mean something in YAML, and the `x` of `3 x 32 x 32`.
let private names =
    [
        "a"
        "x"
        "conv"
        "relu"
        "Block_1"
        "größe"
        "_n"
        "label"
        "do"
        "with"
        "group"
        "apply"
        "index"
        "name"
    ]

let private ident: Gen<Ident> =
    Gen.elements names |> Gen.map (fun name -> { Name = name; Span = nowhere })

/// Text with everything that needs quotes or escapes somewhere.
let private words: Gen<string> =
    let piece =
        Gen.elements
            [
                "a"
                "é"
                "😀"
                " "
                "\""
                "'"
                "\\"
                "{"
                "}"
                "{{"
                ":"
                ": "
                "#"
                " #"
                "//"
                "\n"
                "\t"
                ","
                "["
                "- "
                "&"
                "*"
                "!"
                "%"
                "|"
                "0"
                "\u0001"
                "\u2028"
                "~"
                "null"
            ]

    Gen.choose (0, 5)
    |> Gen.bind (fun count -> Gen.listOfLength count piece)
    |> Gen.map (String.concat "")

/// A generator made only when it is asked, so that generators can contain each other.
let private later (make: unit -> Gen<'a>) = Gen.constant () |> Gen.bind make

let private optional (gen: Gen<'a>) =
    Gen.oneof [ Gen.constant None; Gen.map Some gen ]

let private few most (gen: Gen<'a>) =
    Gen.choose (0, most) |> Gen.bind (fun count -> Gen.listOfLength count gen)

let private many most (gen: Gen<'a>) =
    Gen.choose (1, most) |> Gen.bind (fun count -> Gen.listOfLength count gen)

let private number =
    Gen.oneof
        [
            Gen.choose (0, 100_000) |> Gen.map (fun value -> IntLiteral(int64 value, string value))
            Gen.elements
                [
                    IntLiteral(Int64.MaxValue, string Int64.MaxValue)
                    IntLiteral(50_000L, "50_000")
                    FloatLiteral(1e-3, "1e-3")
                    FloatLiteral(0.5, "0.5")
                    FloatLiteral(5e6, "5M")
                    FloatLiteral(2.5e10, "2.50e+10")
                ]
        ]

/// Adjoining text is one text, and empty text is none.
let private tidy parts =
    List.foldBack
        (fun part rest ->
            match part, rest with
            | Literal "", _ -> rest
            | Literal first, Literal second :: others -> Literal(first + second) :: others
            | _ -> part :: rest)
        parts
        []

let rec private expression size : Gen<Expr> =
    let leaf =
        Gen.oneof
            [
                number
                Gen.elements [ BoolLiteral true; BoolLiteral false; NoneLiteral ]
                Gen.elements names |> Gen.map Name
                words |> Gen.map (fun text -> StringLiteral(tidy [ Literal text ]))
            ]

    let inner = later (fun () -> expression (size / 3))

    let kind =
        if size <= 1 then
            leaf
        else
            Gen.oneof
                [
                    leaf
                    text size
                    few 4 inner |> Gen.map ListLiteral
                    few 4 (Gen.zip (text (size / 3) |> Gen.map expr) inner) |> Gen.map MapLiteral
                    Gen.map2 (fun operator operand -> Unary(operator, operand)) (Gen.elements [ Negate; Not ]) inner
                    Gen.map3
                        (fun (_, _, operator) left right -> Binary(operator, left, right))
                        (Gen.elements BinaryOperator.table)
                        inner
                        inner
                    Gen.map3 (fun test yes no -> Conditional(test, yes, no)) inner inner inner
                    Gen.map2 (fun name arguments -> Call(name, arguments)) ident (arguments size)
                    Gen.map2 (fun target at -> ElementAt(target, at)) inner inner
                ]

    Gen.map expr kind

and private text size : Gen<ExprKind> =
    let part =
        Gen.oneof [ Gen.map Literal words; Gen.map Hole (later (fun () -> expression (size / 3))) ]

    few 3 part |> Gen.map (tidy >> StringLiteral)

and private arguments size : Gen<Argument list> =
    Gen.map2
        (fun name value -> { Name = name; Value = value })
        (optional ident)
        (later (fun () -> expression (size / 3)))
    |> few 4

let private comment =
    Gen.oneof [ Gen.elements [ " a remark"; ""; "no blank: # // {"; " größer 😀" ]; words |> Gen.map Comment.text ]

let private remarks =
    few 3 (Gen.oneof [ comment |> Gen.map CommentLine; Gen.constant EmptyLine ])

let private trivia: Gen<Trivia> =
    let make above behind isJoined =
        { Above = above; Behind = behind; Joined = isJoined }

    let rarely gen =
        Gen.frequency [ 4, Gen.constant None; 1, Gen.map Some gen ]

    Gen.map3
        make
        (Gen.frequency [ 3, Gen.constant []; 1, remarks ])
        (rarely comment)
        (Gen.elements [ true; true; false ])

/// At most one empty line in a row.
let private folded remarks =
    List.foldBack
        (fun remark rest ->
            match remark, rest with
            | EmptyLine, EmptyLine :: _ -> rest
            | _ -> remark :: rest)
        remarks
        []

let private trailing =
    Gen.frequency [ 4, Gen.constant []; 1, remarks ] |> Gen.map (folded >> Comment.trailing)

/// No empty line at the start of a body.
let private settle (get: 'a -> Trivia) (set: Trivia -> 'a -> 'a) (items: 'a list) =
    items
    |> List.mapi (fun index item ->
        let trivia = get item
        let above = folded trivia.Above

        let above =
            if index = 0 then
                List.skipWhile ((=) EmptyLine) above
            else
                above

        set { trivia with Above = above } item)

let private settled isEmpty remarks =
    if isEmpty then
        List.skipWhile ((=) EmptyLine) remarks
    else
        remarks

let private settings size : Gen<Setting list * Remark list> =
    let key = Gen.elements [ "data"; "lr"; "conv.weight"; "if.x"; "a" ]

    let setting =
        Gen.map3
            (fun key value trivia -> { Key = { Name = key; Span = nowhere }; Value = value; Trivia = trivia }: Setting)
            key
            (expression (size / 2))
            trivia

    Gen.map2
        (fun list trailing ->
            settle (fun (s: Setting) -> s.Trivia) (fun trivia s -> { s with Trivia = trivia }) list,
            settled (List.isEmpty list) trailing)
        (few 3 setting)
        trailing

let rec private body size : Gen<Body> =
    Gen.map2
        (fun statements trailing ->
            {
                Statements =
                    settle (fun (s: Statement) -> s.Trivia) (fun trivia s -> { s with Trivia = trivia }) statements
                Trailing = settled (List.isEmpty statements) trailing
                Span = nowhere
            }
            : Body)
        (few 4 (later (fun () -> statement (size / 2))))
        trailing

and private statement size : Gen<Statement> =
    let label = text 3 |> Gen.map expr

    gen {
        let! kind = statementKind size
        let! label = Gen.frequency [ 3, Gen.constant None; 1, Gen.map Some label ]
        let! outputs = Gen.frequency [ 4, Gen.constant []; 1, many 2 ident ]
        let! trivia = trivia

        return { Kind = kind; Label = label; Outputs = outputs; Span = nowhere; Trivia = trivia }
    }

and private statementKind size : Gen<StatementKind> =
    let value = expression (size / 2)

    let leaf =
        [
            many 3 value |> Gen.map Input
            Gen.map2 (fun name value -> Let(name, value)) ident value
            Gen.map2 (fun test message -> Assert(test, message)) value (optional value)
            Gen.map2 (fun name arguments -> Apply(name, arguments)) ident (optional (arguments size))
            ident |> Gen.map From
            settings size |> Gen.map Initialise
        ]

    let nested () =
        [
            Gen.map3 (fun count index inner -> Repeat(count, index, inner)) value (optional ident) (body size)
            Gen.map3
                (fun (item, index) items inner -> For(item, index, items, inner))
                (Gen.zip ident (optional ident))
                value
                (body size)
            Gen.map2
                (fun branches otherwise -> If(branches, otherwise))
                (many 3 (Gen.zip value (body (size / 2))))
                (optional (body size))
            Gen.map3
                (fun combinator arguments inner -> Combine(combinator, arguments, inner))
                (Gen.elements [ Concat; Sum; Product ])
                (arguments (size / 2))
                (body size)
            body size |> Gen.map Group
            Gen.map2 (fun arguments inner -> Auxiliary(arguments, inner)) (arguments (size / 2)) (body size)
        ]

    Gen.oneof (if size <= 1 then leaf else leaf @ nested ())

let private parameters size : Gen<Parameter list> =
    Gen.map2 (fun name value -> { Name = name; Default = value }) ident (optional (expression (size / 3)))
    |> few 4

let private functionBody size : Gen<Expr> =
    Gen.map2
        (fun bindings result ->
            List.foldBack (fun (name, value) rest -> expr (LetIn(name, value, rest))) bindings result)
        (few 2 (Gen.zip ident (expression (size / 2))))
        (expression size)

let private declaration size : Gen<Declaration> =
    let kind =
        Gen.oneof
            [
                words |> Gen.map (fun path -> Import("p" + path, nowhere))
                Gen.map2 (fun name value -> Constant(name, value)) ident (expression size)
                Gen.map3 (fun name ps value -> Function(name, ps, value)) ident (parameters size) (functionBody size)
                Gen.map3
                    (fun name ps inner -> DeclarationKind.Block(name, ps, inner))
                    ident
                    (parameters size)
                    (body size)
                Gen.map3 (fun name ps inner -> Network(name, ps, inner)) ident (parameters size) (body size)
                Gen.map2 (fun name (list, trailing) -> Train(name, list, trailing)) (optional ident) (settings size)
            ]

    Gen.map2 (fun kind trivia -> { Kind = kind; Span = nowhere; Trivia = trivia }: Declaration) kind trivia

let private file: Gen<File> =
    Gen.sized (fun size ->
        Gen.map2
            (fun declarations trailing ->
                {
                    Source = nowhere.Source
                    Declarations =
                        settle
                            (fun (d: Declaration) -> d.Trivia)
                            (fun trivia d -> { d with Trivia = trivia })
                            declarations
                    Trailing = settled (List.isEmpty declarations) trailing
                })
            (few 4 (declaration (2 + size / 2)))
            trailing)

/// A random file that a failed test shows as its text.
[<StructuredFormatDisplay("{Shown}")>]
type RandomFile =
    | RandomFile of File

    override this.ToString() =
        let (RandomFile file) = this
        Printer.print file

    member this.Shown = this.ToString()

type Trees =
    static member File() = Arb.fromGen (Gen.map RandomFile file)
