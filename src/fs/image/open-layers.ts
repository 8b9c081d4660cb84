// From the files of the layer store to layers that an image can be composed of.

import { O_RDONLY } from "../../abi/fcntl.ts";
import { AT_FDCWD, files } from "../../host/files.ts";
import { mapFile } from "../../host/mapped-file.ts";
import type { ImageLayer } from "./image-layers.ts";
import { LayerIndex } from "./layer-reader.ts";

/** Paths of the host, as byte strings. */
export interface LayerFiles {
  readonly tarPath: string;
  readonly indexPath: string;
}

/** Opens the layers of an image, bottom first; the path of the file that is missing or damaged otherwise. */
export function openLayers(layers: readonly LayerFiles[]): ImageLayer[] | string {
  const opened: ImageLayer[] = [];
  for (const { tarPath, indexPath } of layers) {
    const bytes = mapFile(indexPath);
    const index = bytes === null ? null : LayerIndex.open(bytes);
    const tarFd = index === null ? -1 : files.open(AT_FDCWD, tarPath, O_RDONLY, 0);
    if (index === null || tarFd < 0) {
      for (const layer of opened) files.close(layer.tarFd);
      return index === null ? indexPath : tarPath;
    }
    opened.push({ index, tarFd });
  }
  return opened;
}
