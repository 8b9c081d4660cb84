// Files that a compiled binary carries: their import is a path.

declare module "#shim" {
  const path: string;
  export default path;
}

declare module "*.pack" {
  const path: string;
  export default path;
}
