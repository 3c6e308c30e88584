# SPDX-License-Identifier: Apache-2.0
"""Writes models of a few nodes, of what torch.onnx.export does not write, and what onnxruntime makes of three samples.

Wants onnx, onnxruntime and safetensors. operators/NAME.onnx is a model, and operators.safetensors has NAME.input and NAME.output;
onnx.reference computes what onnxruntime does not run.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as errors
from safetensors.numpy import save_file

RESULTS = {}


def node(type, inputs, output, **attributes):
    return helper.make_node(type, inputs.split(), [output], name=f"node of {output}", **attributes)


def case(name, shape, nodes, constants=None, version=17, batch="batch"):
    """A model from x to y with constants: arrays, or shapes of random numbers, which are floating-point."""
    random = np.random.default_rng(sum(name.encode()))
    arrays = {}
    for key, value in (constants or {}).items():
        if isinstance(value, tuple):
            value = (random.standard_normal(value) * 0.5 + (0.7 if key == "scale" else 0)).astype(np.float32)
        arrays[key] = np.asarray(value)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        nodes, name, [x], [y], [numpy_helper.from_array(value, key) for key, value in arrays.items()])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", version)], ir_version=11 if version > 22 else 8)
    samples = random.standard_normal((3, *shape)).astype(np.float32)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        output, by = session.run(None, {"x": samples})[0], "onnxruntime"
    except (errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.NotImplemented, errors.RuntimeException):
        output, by = ReferenceEvaluator(model).run(None, {"x": samples})[0].astype(np.float32), "onnx.reference"
    onnx.save(model, f"operators/{name}.onnx")
    RESULTS[f"{name}.input"], RESULTS[f"{name}.output"] = samples, np.ascontiguousarray(output)
    print(name, output.shape, by)


def main():
    onnxruntime.set_default_logger_severity(4)
    whole = lambda *values: np.array(values, dtype=np.int64)
    number = lambda value: np.array(value, dtype=np.float32)
    for mode in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        case(
            f"conv-{mode.lower()}", (2, 7, 6),
            [node("Conv", "x w b", "y", auto_pad=mode, kernel_shape=[3, 2], strides=[2, 1])], {"w": (3, 2, 3, 2), "b": (3,)})
    case("conv-same-dilated", (2, 6, 6), [node("Conv", "x w", "y", auto_pad="SAME_UPPER", dilations=[2, 2])], {"w": (3, 2, 3, 3)})
    for mode in ["SAME_UPPER", "SAME_LOWER"]:
        case(f"maxpool-{mode.lower()}", (2, 7, 6), [node("MaxPool", "x", "y", auto_pad=mode, kernel_shape=[2, 3], strides=[2, 2])])
        for counted in [0, 1]:
            case(
                f"avgpool-{mode.lower()}-{counted}", (2, 7, 6),
                [node("AveragePool", "x", "y", auto_pad=mode, kernel_shape=[3, 3], strides=[2, 2], count_include_pad=counted)])
    case("maxpool-ceil", (2, 7, 6), [node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)])
    case("prelu-one", (3, 4, 4), [node("PRelu", "x s", "y")], {"s": number([0.2])})
    case("prelu-channels", (3, 4, 4), [node("PRelu", "x s", "y")], {"s": (3, 1, 1)})
    case("prelu-vector", (5,), [node("PRelu", "x s", "y")], {"s": (5,)})
    case(
        "groupnorm-18", (6, 3, 4), [node("GroupNormalization", "x scale shift", "y", num_groups=3, epsilon=1e-3)],
        {"scale": (3,), "shift": (3,)}, version=18)
    case(
        "groupnorm-21", (6, 3, 4), [node("GroupNormalization", "x scale shift", "y", num_groups=3)],
        {"scale": (6,), "shift": (6,)}, version=21)
    case("swish", (5,), [node("Swish", "x", "y")], version=24)
    case(
        "gelu-node", (5,), [node("Gelu", "x", "a", approximate="tanh"), node("Gemm", "a w", "b"), node("Gelu", "b", "y")],
        {"w": (5, 4)}, version=20)
    case("hardsigmoid-own", (5,), [node("HardSigmoid", "x", "y", alpha=1 / 6, beta=0.5)])
    branch = lambda type, name: helper.make_graph(
        [node(type, "a", name)], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    case(
        "if", (5,),
        [
            node("Relu", "x", "a"),
            helper.make_node("If", ["c"], ["y"], then_branch=branch("Tanh", "then"), else_branch=branch("Sigmoid", "else"))],
        {"c": np.array(False)})
    case("global-maxpool", (3, 4, 5), [node("GlobalMaxPool", "x", "a"), node("Flatten", "a", "y")])
    case(
        "channels-last", (6, 5, 2),
        [
            node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w b", "c", pads=[1, 1, 1, 1]),
            node("Transpose", "c", "d", perm=[0, 2, 3, 1]), node("Add", "d t", "e"), node("Relu", "e", "f"),
            node("MatMul", "f m", "g"), node("Add", "g n", "h"), node("Transpose", "h", "i", perm=[0, 3, 1, 2]),
            node("GlobalAveragePool", "i", "j"), node("Flatten", "j", "y")],
        {"w": (4, 2, 3, 3), "b": (4,), "t": (4,), "m": (4, 3), "n": (3,)})
    case(
        "channels-last-concat", (4, 4, 3),
        [
            node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w", "b"), node("Conv", "a v", "c"),
            node("Transpose", "b", "d", perm=[0, 2, 3, 1]), node("Transpose", "c", "e", perm=[0, 2, 3, 1]),
            node("Concat", "d e", "f", axis=3), node("Transpose", "f", "g", perm=[0, 3, 1, 2]),
            node("ReduceMean", "g", "y", axes=[2, 3], keepdims=0)],
        {"w": (2, 3, 1, 1), "v": (3, 3, 1, 1)})
    written = [
        node("ReduceMean", "x", "m", axes=[1]), node("Sub", "x m", "c"), node("Mul", "c c", "q"),
        node("ReduceMean", "q", "v", axes=[1]), node("Add", "v e", "r"), node("Sqrt", "r", "s")]
    small = {"e": number(1e-4), "scale": (6,), "shift": (6,)}
    behind = [node("Mul", "n scale", "o"), node("Add", "o shift", "y")]
    case("layernorm-quotient", (6,), written + [node("Div", "c s", "n")] + behind, small)
    case("layernorm-inverse", (6,), written + [node("Reciprocal", "s", "i"), node("Mul", "i c", "n")] + behind, small)
    case("layernorm-inverse-behind", (6,), written + [node("Reciprocal", "s", "i"), node("Mul", "c i", "n")] + behind, small)
    for groups, shape in [(2, (6, 3, 2)), (3, (6, 3, 2)), (2, (6,))]:
        parts = [groups, shape[0] // groups, *shape[1:]]
        order = [0, 2, 1] + list(range(3, len(parts) + 1))
        case(
            f"shuffle-{groups}-{len(shape)}", shape,
            [
                node("Relu", "x", "r"), node("Reshape", "r p", "a"), node("Transpose", "a", "b", perm=order), node("Reshape", "b q", "y")],
            {"p": whole(0, *parts), "q": whole(0, *shape)})
    # ShuffleNet as it was written for Caffe2, with a fixed number of samples in the shapes.
    case(
        "shuffle-fixed", (6, 4, 4),
        [
            node("Conv", "x w", "c", group=2), node("Reshape", "c p", "a"), node("Transpose", "a", "b", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "b q", "d"), node("Conv", "d v", "y", group=2)],
        {"w": (8, 3, 1, 1), "v": (4, 4, 3, 3), "p": whole(3, 2, 4, 4, 4), "q": whole(3, 8, 4, 4)}, batch=3)
    case("lrn", (6, 2, 3), [node("LRN", "x", "y", size=5, alpha=0.3, beta=0.6, bias=1.5)])
    case("pad-all", (2, 3, 4), [node("Pad", "x p", "y")], {"p": whole(0, 1, 1, 0, 0, 2, 0, 3)})
    case("clip-one-bound", (5,), [node("Clip", "x l", "y")], {"l": number(-0.3)})
    case("max-and-min", (5,), [node("Max", "x l", "a"), node("Min", "h a", "y")], {"l": number(-0.4), "h": number(0.6)})
    case("difference", (3, 4, 4), [node("Relu", "x", "a"), node("Conv", "x w", "b"), node("Sub", "a b", "y")], {"w": (3, 3, 1, 1)})
    case("sum-of-three", (5,), [node("Relu", "x", "a"), node("Gemm", "x w", "b"), node("Gemm", "x v", "c"), node("Sum", "a b c", "y")], {"w": (5, 5), "v": (5, 5)})
    case("gemm-scaled", (5,), [node("Gemm", "x w b", "y", alpha=0.5, beta=2.0)], {"w": (5, 3), "b": (1, 3)})
    save_file(dict(sorted(RESULTS.items())), "operators.safetensors")


if __name__ == "__main__":
    main()
