"""Adapters with random weights, as the packages peft and adapters write them."""

import json

import numpy as np
import torch
from safetensors.numpy import save_file

LORA, BOTTLENECKS = "adapter_model.safetensors", "adapter.safetensors"
PLAIN = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none", "modules_to_save": None}


def write(folder, tensors, config, name=LORA):
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / name)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def lora(modules, rank=2, seed=0, **config):
    """Tensors and configuration as peft writes them, for modules of [out, in]."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for module, (n_out, n_in) in modules.items():
        for which, shape in (("A", (rank, n_in)), ("B", (n_out, rank))):
            key = f"base_model.model.{module}.lora_{which}.weight"
            tensors[key] = rng.normal(0, 0.3, shape).astype(np.float32)
    return tensors, PLAIN | config


def bottlenecks(n_layers=3, size=32, narrow=5, **settings):
    """Tensors and configuration as ``adapters`` writes them for the bottlenecks of Houlsby."""
    rng = np.random.default_rng(2)
    tensors = {}
    for layer in range(n_layers):
        for place in ("attention.output", "output"):
            key = f"encoder.layer.{layer}.{place}.adapters.alignment_adapter.adapter_"
            for which, shape in (("down.0", (narrow, size)), ("up", (size, narrow))):
                for kind, sizes in (("weight", shape), ("bias", shape[:1])):
                    values = rng.normal(0, 0.4, sizes).astype(np.float32)
                    tensors[f"{key}{which}.{kind}"] = values
    usual = {"mh_adapter": True, "output_adapter": True, "non_linearity": "swish"}
    return tensors, {"config": usual | {"reduction_factor": 6} | settings, "model_type": "bert"}


def insert_bottlenecks(model, tensors):
    """Put bottlenecks behind the dense maps of transformers' BERT, before the residual and norm."""

    def hook(place):
        prefix = f"{place}.adapters.alignment_adapter.adapter_"
        part = {
            name.removeprefix(prefix): torch.tensor(values)
            for name, values in tensors.items()
            if name.startswith(prefix)
        }

        def adapted(_module, _inputs, found):
            down = torch.nn.functional.linear(found, part["down.0.weight"], part["down.0.bias"])
            squeezed = torch.nn.functional.silu(down)
            up = torch.nn.functional.linear(squeezed, part["up.weight"], part["up.bias"])
            return found + up

        return adapted

    for n, one in enumerate(model.encoder.layer):
        at = f"encoder.layer.{n}"
        one.attention.output.dense.register_forward_hook(hook(f"{at}.attention.output"))
        one.output.dense.register_forward_hook(hook(f"{at}.output"))
    return model
