/// Recipes and the data that they meet: their own, others that are named instead, a folder that was looked at, or none.
module CnnSpec.Spec.Tests.Elaborate.RecipeDataTests

open CnnSpec
open CnnSpec.Elaborate
open CnnSpec.Ir
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private spec head recipe =
    $"network N(classes = {head}) {{ input 3 x 12 x 16; flatten; linear(classes) }}\ntrain {{ {recipe}; batch = 16 }}"

let private photos classes =
    {
        Name = "folder"
        Path = "/photos"
        Validation = 0
        TrainCount = 200
        TestCount = 0
        Classes = Some classes
    }

let private instead data head recipe =
    compileWith { alone with Data = Instead data } (spec head recipe)

let private recipe (compilation: Compile.Compilation) =
    Expect.equal (rendered compilation) "" "what is said"
    (List.exactlyOne compilation.Networks).Recipes |> List.exactlyOne

let private looked look =
    { alone with Folder = fun path -> if path = "photos" then look else NotLooked }

[<Tests>]
let tests =
    testList
        "recipes and their data"
        [
            testCase "other data replace the recipe's before a head is compared"
            <| fun () ->
                let trained = recipe (instead (photos 3) 3 "data = cifar10()")
                Expect.equal trained.Data (photos 3) "the data"
                let wrong = instead (photos 3) 10 "data = cifar10()"
                Expect.equal (codes wrong) [ "E0404" ] "what is said"
                Expect.stringContains (rendered wrong) "/photos has 3 classes" "what is said"

            testCase "of other data the same share validates"
            <| fun () ->
                let held data =
                    (recipe (instead data 3 "data = cifar10(validation=5000)")).Data.Validation

                Expect.equal (held (photos 3)) 20 "of 200 images"
                Expect.equal (held { photos 3 with TrainCount = 4 }) 1 "of 4 images"

            testCase "a head need not fit data that are not used"
            <| fun () ->
                let text = spec 7 "data = cifar10(); loss = cross_entropy(class_weights=[1, 2])"
                Expect.equal (codes (compile text)) [ "E0404"; "E0406" ] "used"
                let unused = compileWith { alone with Data = Unused } text
                Expect.equal (rendered unused) "" "unused"

            testCase "a folder is looked for beside the spec, and its classes are compared"
            <| fun () ->
                let text = spec 3 "data = folder(\"photos\")"

                let fixedHead =
                    text.Replace("linear(classes)", "linear(3)").Replace("(classes = 3)", "")

                Expect.equal (codes (compileWith (looked (Holds(5, 90))) fixedHead)) [ "E0404" ] "5 classes"
                Expect.equal (codes (compileWith (looked (Holds(3, 90))) fixedHead)) [] "3 classes"
                Expect.equal (codes (compileWith (looked (Holds(5, 90))) text)) [] "training sets the parameter"

                Expect.equal
                    (codes (compileWith (looked (Unusable "there is no folder photos")) text))
                    [ "W0108" ]
                    "no folder"

                let below =
                    Compile.file
                        { alone with
                            Folder = fun path -> if path = "nets/photos" then Holds(3, 90) else Unusable ""
                        }
                        (Text.Source.create "nets/spec.cnn" text)

                Expect.equal (recipe below).Data.Path "nets/photos" "the folder"

            testCase "a recipe needs a number for each class, and not a map"
            <| fun () ->
                let text =
                    "network N { input 3 x 12 x 16; conv(10, kernel=3) }\ntrain { data = shapes() }"

                let said = compile text
                Expect.equal (codes said) [ "E0404" ] "what is said"
                Expect.stringContains (rendered said) "[10, 10, 14]" "what is said"

            cases
                "class weights may be numbers or balanced"
                [ "balanced", [], true; "\"balanced\"", [], true; "[1, 2, 3]", [ 1.0; 2.0; 3.0 ], false ]
            <| fun (weights, numbers, balanced) ->
                let loss =
                    (recipe (instead (photos 3) 3 $"data = cifar10(); loss = cross_entropy(class_weights={weights})"))
                        .Loss

                Expect.equal (loss.ClassWeights, loss.Balanced) (numbers, balanced) weights

            testCase "class weights of another word are refused"
            <| fun () ->
                let said =
                    instead (photos 3) 3 "data = cifar10(); loss = cross_entropy(class_weights=\"even\")"

                Expect.stringContains (rendered said) "a list of numbers or \"balanced\"" "what is said"

            cases
                "means and deviations that no pixels have are refused"
                [ "mean=125, std=0.2"; "mean=0.5, std=0"; "mean=0.5, std=[0.1, 0.2, -1]" ]
            <| fun text ->
                let said = instead (photos 3) 3 $"data = cifar10(); normalize = by_channel({text})"
                Expect.equal (codes said) [ "E0407" ] text
                Expect.isError (Recipes.scaling "--normalize" $"by_channel({text})") text

            testCase "a scaling outside of a recipe is read as one inside"
            <| fun () ->
                Expect.equal
                    (Recipes.scaling "--normalize" "by_channel(mean=0.5, std=[1, 2, 3])")
                    (Ok(ByChannel([ 0.5 ], [ 1.0; 2.0; 3.0 ])))
                    "numbers"

                match Recipes.scaling "--normalize" "imagenet" with
                | Ok(ByChannel(mean, _)) -> Expect.equal mean [ 0.485; 0.456; 0.406 ] "torchvision's mean"
                | other -> failtest $"{other}"

                match Recipes.scaling "--normalize" "imagnet()" with
                | Error [ problem ] -> Expect.equal problem.Help (Some "did you mean 'imagenet'?") "what is said"
                | other -> failtest $"{other}"

            cases
                "a file with nothing in it is an error, in either syntax"
                [ "a.cnn", ""; "a.cnn", "// later"; "a.yaml", "" ]
            <| fun (path, text) ->
                let said = Compile.file alone (Text.Source.create path text)
                Expect.equal (codes said) [ "E0106" ] text

            cases "the ending of a YAML file may be in capitals" [ "net.YML"; "net.Yaml" ]
            <| fun path ->
                let text = "- network: N\n  body:\n    - input: [3, 12, 16]\n    - relu\n"
                let said = Compile.file alone (Text.Source.create path text)
                Expect.equal (rendered said) "" path

            testCase "a recipe of version 0.1 is read, and says nothing of balance"
            <| fun () ->
                let json = IrJson.toJson (recipe (instead (photos 3) 3 "data = cifar10()"))
                (json["loss"].AsObject()).Remove "balanced" |> ignore
                Expect.isFalse (IrJson.ofJson<Recipe> json).Loss.Balanced "balanced"
        ]
